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
    publishing: (topic, messages, { system }) => sends.of(system, topic).next().begin(messages.length),
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
  readonly #idle: Sending[] = [];

  constructor(cells: SendCells) {
    this.#cells = cells;
  }

  next(): Sending {
    return this.#idle.pop() ?? new Sending(this.#cells, this.#idle);
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

/** One publish under way; used again when it has ended. It keeps no message: what is new is dear to keep by what is old. */
class Sending implements SteadyPublishing {
  readonly #cells: SendCells;
  readonly #idle: Sending[];
  #count = 0;
  #start = 0;

  constructor(cells: SendCells, idle: Sending[]) {
    this.#cells = cells;
    this.#idle = idle;
  }

  begin(count: number): this {
    this.#count = count;
    this.#start = sharedNow();
    return this;
  }

  readonly stored = (): void => {
    this.#cells.sent.value += this.#count;
    this.#cells.duration.record((sharedNow() - this.#start) / 1_000);
    this.#idle.push(this);
  };

  readonly failed = (error: unknown): void => {
    const unsent = Math.min(this.#count, failedOf(error) ?? this.#count);
    const failed = this.#cells.failed(error);
    failed.sent.value += unsent;
    failed.duration.record((sharedNow() - this.#start) / 1_000);
    this.#cells.sent.value += this.#count - unsent;
    this.#idle.push(this);
  };

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

/** One handling under way; used again when it has ended. */
class Handling {
  start = 0;
  readonly #cells: ProcessCells;
  readonly #idle: Handling[];
  readonly #counted: Counted;

  constructor(cells: ProcessCells, unused: Handling[], counted: Counted) {
    this.#cells = cells;
    this.#idle = unused;
    this.#counted = counted;
  }

  readonly succeeded = (): void => {
    this.#cells.inFlight.value -= 1;
    this.#cells.duration.record((sharedNow() - this.start) / 1_000);
    this.#idle.push(this);
  };

  readonly failed = (error: unknown): void => {
    this.#cells.inFlight.value -= 1;
    this.#cells.failed(error, (sharedNow() - this.start) / 1_000);
    this.#counted.add(error);
    this.#idle.push(this);
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
      const idleHandlings: Handling[] = [];
      return (delivery, signal) => {
        consumed.value += 1;
        inFlight.value += 1;
        if (delivery.attempt > 1) redelivered.value += 1;
        const handling = idleHandlings.pop() ?? new Handling(cells, idleHandlings, counted);
        handling.start = sharedNow();
        age.record(Math.max(0, epoch.at(handling.start) - delivery.message.time) / 1_000);
        return followed(next, delivery, signal, handling.succeeded, handling.failed);
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
