import type { Delivery, DeliveryHandler, SubscriptionContext } from '@bento-bus/core';
import type { SubscriptionWatch, Surroundings, Watched } from '../instrument.ts';
import { steady } from '../instrumented/careful.ts';
import type { SteadyPublishing } from '../instrumented/publishing.ts';
import { Epoch, sharedNow } from './clock.ts';
import { MessagingMetrics, type ProcessCells, type SendCells } from './messaging.ts';
import type { Metrics } from './metrics.ts';
import { type MetricsOptions, resolveMetricsOptions } from './options.ts';
import { MetricRegistry } from './registry.ts';

/** The registry of what {@link createMetrics} made. */
const registries = new WeakMap<Metrics, MetricRegistry>();
export const registryOf = (metrics: Metrics): MetricRegistry | undefined => registries.get(metrics);

/**
 * Metrics of all that passes an instrumented transport, in numbers of its own: what is counted per message costs no look-up by labels.
 * Show them with `exportToPrometheus` or `exportToOpenTelemetry`, at any time and more than once. Durations and ages are seconds. Throws
 * a `CONFIGURATION` error that names every fault of the options.
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const resolved = resolveMetricsOptions(options);
  const registry = new MetricRegistry(resolved.durationBuckets, resolved.logger);
  const messaging = new MessagingMetrics(registry, resolved);
  const sends = new Sends(messaging, resolved.maxTopics);
  const metrics: Metrics = {
    publishing: (topic, messages, { system }) => sends.of(system, topic).begin(messages.length),
    subscribing: (watched, about) => watch(messaging, watched, about),
    counter: (name, help, labels) => registry.counter(name, help, labels),
    histogram: (name, help, labels, of) => registry.histogram(name, help, labels, of),
    gauge: (name, help, labels, read) => registry.gauge(name, help, labels, read),
    families: () => registry.families(),
  };
  registries.set(metrics, registry);
  return steady(metrics);
}

/** Publishes to one topic. */
class TopicSends {
  readonly #cells: SendCells;
  #last: Sending;

  constructor(cells: SendCells) {
    this.#cells = cells;
    this.#last = new Sending(cells, 0, 0);
  }

  begin(count: number): Sending {
    const start = sharedNow();
    const last = this.#last;
    if (last.start === start && last.count === count) return last;
    return (this.#last = new Sending(this.#cells, count, start));
  }
}

/** Topics that are published to. */
class Sends {
  readonly #messaging: MessagingMetrics;
  readonly #most: number;
  readonly #systems = new Map<string, Map<string, TopicSends>>();
  #last: { readonly system: string; readonly topic: string; readonly sends: TopicSends } | undefined;

  constructor(messaging: MessagingMetrics, most: number) {
    this.#messaging = messaging;
    this.#most = most;
  }

  of(system: string, topic: string): TopicSends {
    const last = this.#last;
    if (last !== undefined && last.topic === topic && last.system === system) return last.sends;
    const topics = this.#systems.get(system) ?? new Map<string, TopicSends>();
    this.#systems.set(system, topics);
    const sends = topics.get(topic) ?? new TopicSends(this.#messaging.sending(system, topic));
    // Topics beyond the bound are not kept: their cells are found again under their label.
    if (topics.size < this.#most) topics.set(topic, sends);
    this.#last = { system, topic, sends };
    return sends;
  }
}

/** Publishes of as many messages each that began together: for each of them it is told how it ended. */
class Sending implements SteadyPublishing {
  readonly count: number;
  /** As {@link sharedNow} has it. */
  readonly start: number;
  readonly #cells: SendCells;

  constructor(cells: SendCells, count: number, start: number) {
    this.#cells = cells;
    this.count = count;
    this.start = start;
  }

  readonly stored = (): void => this.allStored(1);

  readonly failed = (error: unknown): void => this.allFailed(error, 1);

  allStored(times: number): void {
    this.#cells.sent.value += this.count * times;
    this.#cells.duration.record((sharedNow() - this.start) / 1_000, times);
  }

  allFailed(error: unknown, times: number): void {
    const unsent = Math.min(this.count, failedOf(error) ?? this.count);
    const failed = this.#cells.failed(error);
    failed.sent.value += unsent * times;
    failed.duration.record((sharedNow() - this.start) / 1_000, times);
    this.#cells.sent.value += (this.count - unsent) * times;
  }

  end(error: unknown): void {
    if (error === undefined) this.stored();
    else this.failed(error);
  }
}

/** How many of the messages were not confirmed, where the error says it. */
function failedOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('failed' in error)) return undefined;
  return Array.isArray(error.failed) ? error.failed.length : undefined;
}

/** Handlings that began together: for each of them it is told how it ended. */
class Handling {
  /** As {@link sharedNow} has it. */
  readonly start: number;
  readonly #cells: ProcessCells;
  readonly #counted: Counted;

  constructor(cells: ProcessCells, counted: Counted, start: number) {
    this.#cells = cells;
    this.#counted = counted;
    this.start = start;
  }

  readonly succeeded = (): void => {
    this.#cells.inFlight.value -= 1;
    this.#cells.duration.record((sharedNow() - this.start) / 1_000);
  };

  readonly failed = (error: unknown): void => {
    this.#cells.inFlight.value -= 1;
    this.#cells.failed(error, (sharedNow() - this.start) / 1_000);
    this.#counted.add(error);
  };
}

/** Errors that were counted at the handler, and are no new failure where middleware passes them on. */
class Counted {
  readonly #errors = new WeakSet<object>();

  add(error: unknown): void {
    if (typeof error === 'object' && error !== null) this.#errors.add(error);
  }

  /** Also one that middleware made of such an error. What is no object cannot be told from others: it is taken for counted. */
  has(error: unknown): boolean {
    if (typeof error !== 'object' || error === null || this.#errors.has(error)) return true;
    const { cause } = error as { readonly cause?: unknown };
    return typeof cause === 'object' && cause !== null && this.#errors.has(cause);
  }
}

function watch(messaging: MessagingMetrics, { options }: Watched, { system }: Surroundings): SubscriptionWatch {
  const byTopic = new Map<string, ProcessCells>();
  const counted = new Counted();
  const cellsOf = (topic: string): ProcessCells => {
    let known = byTopic.get(topic);
    if (known === undefined) byTopic.set(topic, (known = messaging.processing(system, topic, options.group)));
    return known;
  };
  const outside = (next: DeliveryHandler, { topic }: SubscriptionContext): DeliveryHandler => {
    const cells = cellsOf(topic);
    const failed = (error: unknown): void => {
      if (!counted.has(error)) cells.failedOutside(error);
    };
    return (delivery, signal) => followed(next, delivery, signal, undefined, failed);
  };
  return {
    // What middleware itself fails with never reaches the handler.
    ...((options.use?.length ?? 0) > 0 && { use: outside }),
    inside: (next, subscription) => {
      const cells = cellsOf(subscription.topic);
      const epoch = new Epoch(() => subscription.now());
      const { consumed, redelivered, inFlight, age } = cells;
      let handling = new Handling(cells, counted, 0);
      return (delivery, signal) => {
        consumed.value += 1;
        inFlight.value += 1;
        if (delivery.attempt > 1) redelivered.value += 1;
        const start = sharedNow();
        if (handling.start !== start) handling = new Handling(cells, counted, start);
        const { succeeded, failed } = handling;
        age.record(Math.max(0, epoch.at(start) - delivery.message.time) / 1_000);
        return followed(next, delivery, signal, succeeded, failed);
      };
    },
    exhausted: (take) => async (delivery: Delivery, reason: unknown) => {
      await take(delivery, reason);
      cellsOf(delivery.topic).exhausted.value += 1;
    },
  };
}

/** Calls the handler, tells how it ends, and changes nothing of it: one written in JavaScript may throw, or return no promise. */
function followed(
  next: DeliveryHandler,
  delivery: Delivery,
  signal: AbortSignal,
  succeeded: (() => void) | undefined,
  failed: (error: unknown) => void,
): Promise<void> {
  let outcome: Promise<void>;
  try {
    outcome = next(delivery, signal);
  } catch (error) {
    failed(error);
    throw error;
  }
  // This runs for every message, and is faster than to ask whether it has `then`.
  if (typeof (outcome as Promise<void> | undefined)?.then === 'function') outcome.then(succeeded, failed);
  else succeeded?.();
  return outcome;
}
