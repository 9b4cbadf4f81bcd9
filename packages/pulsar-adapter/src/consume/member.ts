import {
  type BatchHandler,
  BentoError,
  type Closeable,
  type Delivery,
  type Logger,
  type Subscription,
} from '@bento-bus/core';
import {
  type Backoff,
  closeOnce,
  createLanes,
  type Deferred,
  deferred,
  guarded,
  type Lanes,
  type PreparedSubscription,
  type ResolvedSubscribeOptions,
  type WireFormat,
  withDeadline,
} from '@bento-bus/core/adapter';
import type { Admin } from '../admin.ts';
import type { Driver, SubscriptionType } from '../driver.ts';
import type { TopicName } from '../names.ts';
import { Attempts } from './attempts.ts';
import type { AttemptsContext } from './attempts-topic.ts';
import { Source, type Taken } from './source.ts';

/** One topic to read, which exists, with its subscription. */
export interface Reading {
  readonly name: string;
  readonly topic: TopicName;
  readonly partitions: number;
}

export interface MemberOptions {
  readonly readings: readonly Reading[];
  readonly prepared: PreparedSubscription;
  readonly options: ResolvedSubscribeOptions;
  readonly type: SubscriptionType;
  /** Names the consumers, and the sessions: unique. */
  readonly session: string;
  readonly receiverQueue: number;
  readonly driver: Driver;
  readonly admin: Admin;
  readonly format: WireFormat;
  readonly backoff: Backoff;
  readonly attempts: AttemptsContext;
  readonly logger: Logger;
}

/** One subscription: a source a topic, all into one set of lanes. */
export class Member implements Subscription {
  readonly lanes: Lanes<Taken>;
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #ended: Deferred<void> = deferred();
  readonly #closing: Closeable;
  readonly #closeMs: number;
  #fault: { readonly error: unknown } | undefined;

  constructor(given: MemberOptions) {
    const { prepared, options, logger } = given;
    const { size, waitMs, concurrency, ordering, maxHoldMs, maxLaneBacklog } = options;
    this.#closeMs = given.attempts.timeoutMs;
    // Nobody has to listen.
    this.#ended.promise.catch(() => {});
    const budget = Math.max(given.receiverQueue, 2 * concurrency * size, 2 * maxLaneBacklog);
    this.#sources = new Map(given.readings.map((reading) => [reading.name, this.#source(reading, budget, given)]));
    this.lanes = createLanes<Taken>({
      handler: guarded(this.#noting(prepared.handler), ({ topic }) => this.#of(topic).options.attempts.guard),
      size,
      waitMs,
      concurrency,
      ordering: given.type === 'Shared' ? 'none' : ordering,
      maxHoldMs,
      maxLaneBacklog,
      maxInFlight: budget * given.readings.length,
      exhausted: prepared.exhausted,
      backoff: prepared.backoff,
      settle: (taken) => taken.source.settle(taken),
      onFault: (error) => this.#fail(error),
      logger,
    });
    this.#closing = closeOnce(async () => {
      for (const source of this.#sources.values()) source.stop();
      const left = await this.lanes.drain(options.drainMs);
      try {
        await Promise.all(Array.from(this.#sources.values(), (source) => this.#endSource(source, left, logger)));
        await prepared.close();
      } finally {
        if (this.#fault === undefined) this.#ended.resolve();
        else this.#ended.reject(this.#fault.error);
      }
    });
  }

  get closed(): Promise<void> {
    return this.#ended.promise;
  }

  /** Attaches to all topics; then messages flow. After a rejection close it. */
  async open(): Promise<void> {
    const sources = [...this.#sources.values()];
    await allDone(sources.flatMap((source) => [source.open(), source.options.attempts.read()]));
    await allDone(sources.map((source) => source.options.attempts.begin()));
    for (const source of sources) source.flow();
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #of(topic: string): Source {
    return this.#sources.get(topic) as Source;
  }

  #source({ name, topic, partitions }: Reading, budget: number, given: MemberOptions): Source {
    const { session, type, driver, admin, options, format, backoff, logger } = given;
    const { group: subscription, maxCrashes } = options;
    const attempts = new Attempts(
      {
        topic,
        group: subscription,
        session,
        window: 2 * budget,
        maxCrashes,
        consumers: () => admin.consumers(topic, partitions, subscription),
        held: () => heldOf(this.lanes, source),
        has: (position) => source.has(position),
      },
      given.attempts,
    );
    const source: Source = new Source({
      name,
      topic,
      consumer: { subscription, type, name: session, queue: given.receiverQueue },
      driver,
      format,
      backoff,
      attempts,
      lanes: () => this.lanes,
      budget,
      onFault: (error) => this.#fail(error),
      logger,
    });
    return source;
  }

  /** Notes what is started, and that something failed. */
  #noting(handler: BatchHandler): BatchHandler {
    return async (batch, signal) => {
      for (const { topic, position, attempt } of batch) this.#of(topic).started(position, attempt);
      const failedIn = (deliveries: readonly Delivery[]): void => {
        for (const topic of new Set(deliveries.map((delivery) => delivery.topic)))
          this.#of(topic).options.attempts.failed();
      };
      try {
        const outcomes = await handler(batch, signal);
        if (!Array.isArray(outcomes) || outcomes.some((outcome) => outcome?.ok !== true)) failedIn(batch);
        return outcomes;
      } catch (error) {
        failedIn(batch);
        throw error;
      }
    };
  }

  async #endSource(source: Source, left: readonly Taken[], logger: Logger): Promise<void> {
    const started = left.filter((taken) => taken.source === source && taken.started > 0);
    try {
      const attempts = started.map(({ position, started: attempt }) => ({ position, attempt }));
      await withDeadline(source.options.attempts.end(attempts), this.#closeMs, () => {
        throw new BentoError('TIMEOUT', `the broker did not take it within ${this.#closeMs} ms`, true);
      });
    } catch (error) {
      logger.warn('pulsar-adapter: cannot store the end of a subscription; the next one takes it for a crash', {
        topic: source.options.topic.full,
        error,
      });
    }
    await source.close();
  }

  #fail(reason: unknown): void {
    this.#fault ??= { error: reason };
    this.close().catch(() => {});
  }
}

function* heldOf(
  lanes: Lanes<Taken>,
  source: Source,
): Iterable<{ readonly position: string; readonly attempt: number }> {
  for (const { delivery, token } of lanes.held()) if (token.source === source) yield delivery;
}

/** Waits for all, then fails with the first fault: nothing goes on in the background. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason;
}
