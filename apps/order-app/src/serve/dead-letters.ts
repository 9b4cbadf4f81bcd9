import type { Operations } from '@bento-bus/admin';
import type { Closeable, Logger } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { type Metrics, metricNames } from '@bento-bus/observability';

export interface DeadLetterOptions {
  readonly operations: Pick<Operations, 'failedPlaces'>;
  readonly metrics: Pick<Metrics, 'gauge'>;
  /** Between two counts. Milliseconds. */
  readonly everyMs: number;
  readonly logger: Logger;
}

/** How many failed messages wait. */
export interface DeadLetters extends Closeable {
  /** As of the last count; undefined: there was none yet. */
  readonly total: number | undefined;
  /** Calls `changed` whenever a count has another total. Returns what ends that. */
  onChange(changed: (total: number) => void): () => void;
  /** Counts now, if nobody does. */
  look(): void;
}

/**
 * Counts failed messages that wait at once and then every `everyMs`, for all who want to know: who scrapes the gauge waits for no broker. What
 * cannot be counted keeps its value, and is logged once.
 */
export function countDeadLetters({ operations, metrics, everyMs, logger }: DeadLetterOptions): DeadLetters {
  let places: Awaited<ReturnType<Operations['failedPlaces']>> = [];
  let total: number | undefined;
  let counting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isAway = false;
  let isClosed = false;
  const listeners = new Set<(total: number) => void>();

  const count = async (): Promise<void> => {
    try {
      places = await operations.failedPlaces();
      isAway = false;
    } catch (error) {
      if (!isAway && !isClosed) logger.warn('dead letters cannot be counted', { error });
      isAway = true;
      return;
    }
    const now = places.reduce((sum, place) => sum + place.count, 0);
    if (now === total || isClosed) return;
    total = now;
    for (const changed of listeners) changed(now);
  };
  const look = (): Promise<void> => {
    counting ??= count().finally(() => {
      counting = undefined;
    });
    return counting;
  };
  const follow = async (): Promise<void> => {
    await look();
    if (!isClosed) timer = setTimeout(() => void follow(), everyMs).unref();
  };
  metrics.gauge(metricNames.deadLetters, 'Failed messages that wait, as of the last count.', ['topic', 'group'], () =>
    places.map((place) => ({ labels: { topic: place.topic, group: place.group }, value: place.count })),
  );
  void follow();
  return {
    get total() {
      return total;
    },
    onChange(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    look: () => void look(),
    ...closeOnce(() => {
      isClosed = true;
      clearTimeout(timer);
      listeners.clear();
    }),
  };
}
