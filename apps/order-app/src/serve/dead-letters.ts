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

/**
 * Shows failed messages that wait as a gauge: counted at once and then every `everyMs`, so that who scrapes waits for no broker. What cannot
 * be counted keeps its value, and is logged once.
 */
export function countDeadLetters({ operations, metrics, everyMs, logger }: DeadLetterOptions): Closeable {
  let counted: Awaited<ReturnType<Operations['failedPlaces']>> = [];
  let timer: NodeJS.Timeout | undefined;
  let isAway = false;
  let isClosed = false;
  const follow = async (): Promise<void> => {
    try {
      counted = await operations.failedPlaces();
      isAway = false;
    } catch (error) {
      if (!isAway && !isClosed) logger.warn('dead letters cannot be counted', { error });
      isAway = true;
    }
    if (!isClosed) timer = setTimeout(() => void follow(), everyMs).unref();
  };
  metrics.gauge(metricNames.deadLetters, 'Failed messages that wait, as of the last count.', ['topic', 'group'], () =>
    counted.map(({ topic, group, count }) => ({ labels: { topic, group }, value: count })),
  );
  void follow();
  return closeOnce(() => {
    isClosed = true;
    clearTimeout(timer);
  });
}
