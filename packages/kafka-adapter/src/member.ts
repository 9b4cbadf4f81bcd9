import { setTimeout } from 'node:timers/promises';
import {
  type BatchHandler,
  BentoError,
  type Closeable,
  type Delivery,
  type Outcome,
  type Subscription,
} from '@bento-bus/core';
import {
  closeOnce,
  createLanes,
  type Deferred,
  deferred,
  fullJitter,
  guarded,
  type Lanes,
  type PreparedSubscription,
  type ResolvedSubscribeOptions,
  withDeadline,
} from '@bento-bus/core/adapter';
import { Assignment } from './assignment.ts';
import { Committer } from './committer.ts';
import type {
  ConsumerEvents,
  Driver,
  DriverConsumer,
  FetchedBatch,
  FetchPosition,
  Membership,
  TopicPartition,
} from './driver.ts';
import { isExpelled, textOf, toBentoError } from './errors.ts';
import { Feed } from './feed.ts';
import type { ResolvedOptions } from './options.ts';
import type { Topics } from './topics.ts';
import { type Entry, entryOf, type KafkaDelivery, type Tracker } from './tracker.ts';

/** What a member is made of. */
export interface MemberOptions {
  readonly driver: Driver;
  readonly topics: Topics;
  readonly prepared: PreparedSubscription;
  readonly subscription: ResolvedSubscribeOptions;
  readonly options: ResolvedOptions;
}

const abortedError = (): BentoError =>
  new BentoError(
    'ABORTED',
    'kafka-adapter: cannot finish the message: the group is rebalancing and cannot wait any longer. It will be delivered again.',
    true,
  );

/** Trying again does not help. */
const final: ReadonlySet<string> = new Set([
  'AUTHENTICATION',
  'AUTHORIZATION',
  'CONFIGURATION',
  'UNSUPPORTED',
  'UNKNOWN_TOPIC',
]);

/** How long progress may take to be stored at the end. Milliseconds. */
const farewellMs = 5_000;

/** One subscription: a member of its group, its lanes, its progress. In one file, since every step of the group's protocol touches all of them. */
export class Member implements Subscription {
  readonly closed: Promise<void>;
  readonly lanes: Lanes<Entry>;
  readonly #given: MemberOptions;
  readonly #assignment: Assignment;
  readonly #committer: Committer;
  readonly #feed: Feed;
  readonly #end: Deferred<void> = deferred();
  readonly #closing: Closeable;
  readonly #stop = new AbortController();
  readonly #fields: { readonly group: string; readonly topics: readonly string[] };
  #membership: Membership | undefined;
  #consumer: DriverConsumer | undefined;
  #starting: Promise<void> = Promise.resolve();
  #fault: { readonly error: unknown } | undefined;
  /** For the handlers started since the last rebalance that could not wait for all of them. */
  #running = new AbortController();
  #drainSignal: AbortSignal | undefined;
  /** Started, and not acknowledged at the end of the drain. */
  #left: readonly Entry[] = [];

  constructor(given: MemberOptions) {
    this.#given = given;
    const { prepared, subscription, options } = given;
    const { group, size, waitMs, concurrency, ordering, maxHoldMs, maxLaneBacklog, maxCrashes } = subscription;
    const { logger, commitIntervalMs } = options;
    const maxInFlight = options.maxInFlight ?? Math.max(1_000, 2 * concurrency * size, 2 * maxLaneBacklog);
    this.#fields = { group, topics: prepared.topics };
    this.closed = this.#end.promise;
    // Nobody has to listen.
    this.closed.catch(() => {});
    this.lanes = createLanes<Entry>({
      handler: guarded(
        this.#handler(prepared.handler),
        (delivery) => (delivery as KafkaDelivery)[entryOf].tracker.guard,
      ),
      size,
      waitMs,
      concurrency,
      ordering,
      maxHoldMs,
      maxLaneBacklog,
      // Counted by partition, so that one that stands still does not hold up the others.
      maxInFlight: Number.MAX_SAFE_INTEGER,
      logger,
      exhausted: prepared.exhausted,
      backoff: prepared.backoff,
      settle: (entry) => this.#settle(entry),
      onFault: (error) => this.#fail(error),
    });
    this.#committer = new Committer({
      intervalMs: commitIntervalMs,
      held: () => heldBy(this.lanes, this.#left),
      onCommitted: () => {
        for (const tracker of this.#assignment.trackers.values()) this.#feed.pump(tracker);
      },
      onFault: (error) => this.#fail(error),
      logger,
      fields: this.#fields,
    });
    this.#assignment = new Assignment({
      group,
      topics: prepared.topics,
      startPosition: subscription.startPosition,
      window: 2 * maxInFlight,
      maxCrashes,
      store: (tracker) => this.#committer.store(tracker),
      logger,
    });
    this.#feed = new Feed(this.lanes, options.format, maxInFlight, (tracker) => {
      tracker.paused = false;
      this.#membership?.resume(tracker);
    });
    this.#closing = closeOnce(() => this.#close());
  }

  /** Resolves when it has joined its group. */
  start(): Promise<void> {
    this.#starting = this.#join(Date.now() + this.#given.options.requestTimeoutMs);
    return this.#starting;
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- joining ----------------------------------------------------------------------------------------------------------------------

  /** Tries until it has joined; at the deadline, or where that is of no use, it rejects. */
  async #join(deadline: number): Promise<void> {
    const { driver, topics, prepared, subscription, options } = this.#given;
    const { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs, logger } = options;
    const backoff = fullJitter({ baseMs: 200, capMs: 5_000 });
    const consumer = {
      group: subscription.group,
      topics: prepared.topics,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      heartbeatIntervalMs,
    };
    for (let failures = 1; ; failures += 1) {
      try {
        for (const { topic, compacted } of prepared.ensure) await topics.ensure(topic, { compacted });
        for (const topic of prepared.topics) await topics.ensure(topic);
        this.#stop.signal.throwIfAborted();
        this.#consumer = await driver.consume(consumer, this.#events);
        return;
      } catch (cause) {
        const error = toBentoError(cause, `subscribe group "${subscription.group}"`);
        if (this.#stop.signal.aborted) throw error;
        // A topic that was just made is not known to all brokers at once.
        const fresh =
          error.code === 'UNKNOWN_TOPIC' && prepared.topics.every((topic) => topics.has(topic)) && failures < 10;
        const wait = backoff(failures);
        if ((final.has(error.code) && !fresh) || Date.now() + wait >= deadline) throw error;
        if (deadline === Number.POSITIVE_INFINITY)
          logger.warn('kafka-adapter: joining the group failed; trying again', { ...this.#fields, error });
        await setTimeout(wait, undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }

  readonly #events: ConsumerEvents = {
    connected: (lookup) => this.#assignment.fixStarts(lookup),
    beforeJoin: () => this.#beforeJoin(),
    assigned: (partitions, membership) => this.#assigned(partitions, membership),
    batch: (batch, heartbeat) => this.#batch(batch, heartbeat),
    crashed: (cause) => this.#crashed(cause),
  };

  /** By joining, partitions are given up: first handlers finish and what they did is committed. */
  async #beforeJoin(): Promise<void> {
    const { rebalanceTimeoutMs, heartbeatIntervalMs, logger } = this.#given.options;
    this.lanes.pause();
    // The group waits from when the rebalance began, which the heartbeat before this one did not know.
    const patienceMs = rebalanceTimeoutMs * 0.8 - Math.min(heartbeatIntervalMs, rebalanceTimeoutMs * 0.3);
    if ((await this.#finish(Date.now() + patienceMs)) === 'late') {
      const { running } = this.lanes;
      const fields = { ...this.#fields, running };
      logger.warn('kafka-adapter: handlers took longer than a rebalance may; they are aborted', fields);
      this.#running.abort(abortedError());
      this.#running = new AbortController();
      await withDeadline(this.lanes.idle(), rebalanceTimeoutMs * 0.05, () => {});
    }
    await withDeadline(this.#committer.flush(), rebalanceTimeoutMs * 0.1, () => {}).catch(() => {});
    this.#committer.use(undefined);
  }

  /** Beats until nothing is at work, or `until`, or till this is no member any more, whose partitions others have. */
  async #finish(until: number): Promise<'idle' | 'late' | 'expelled'> {
    const idle = this.lanes.idle().then(() => 'idle' as const);
    for (;;) {
      const left = Math.max(0, until - Date.now());
      const found = await withDeadline(
        idle,
        Math.min(this.#given.options.heartbeatIntervalMs, left),
        () => 'busy' as const,
      );
      if (found === 'idle') return found;
      if (left === 0) return 'late';
      try {
        if (this.#membership === undefined) return 'expelled';
        await this.#membership.heartbeat();
      } catch (error) {
        // That a rebalance is under way is why we are here; the beat counts all the same.
        if (isExpelled(error)) return 'expelled';
      }
    }
  }

  async #assigned(partitions: readonly TopicPartition[], membership: Membership): Promise<readonly FetchPosition[]> {
    this.#drop(this.#assignment.lost(partitions));
    const positions = await this.#assignment.take(partitions, membership, (trackers) => this.#drop(trackers));
    this.#membership = membership;
    this.#committer.use(membership);
    this.lanes.resume();
    return positions;
  }

  #drop(trackers: readonly Tracker[]): void {
    if (trackers.length === 0) return;
    this.#assignment.drop(trackers);
    for (const tracker of trackers) this.#committer.forget(tracker);
    this.lanes.discard((_, { tracker }) => tracker.dropped);
  }

  #crashed(cause: unknown): void {
    if (this.#stop.signal.aborted) return;
    const { group } = this.#fields;
    const { logger } = this.#given.options;
    const error = toBentoError(cause, `consume in group "${group}"`);
    if (final.has(error.code) && error.code !== 'UNKNOWN_TOPIC') {
      this.#fail(error);
      return;
    }
    logger.warn('kafka-adapter: the consumer has ended; joining again', { ...this.#fields, error });
    this.#committer.use(undefined);
    for (const topic of this.#given.prepared.topics) this.#given.topics.forget(topic);
    this.#starting = this.#join(Number.POSITIVE_INFINITY);
    this.#starting.catch((fault: unknown) => {
      if (!this.#stop.signal.aborted) this.#fail(fault);
    });
  }

  // ---- handling ---------------------------------------------------------------------------------------------------------------------

  async #batch(batch: FetchedBatch, heartbeat: () => Promise<void>): Promise<void> {
    const tracker = this.#assignment.of(batch);
    const membership = this.#membership;
    if (tracker === undefined || this.#stop.signal.aborted) {
      membership?.pause(batch);
      return;
    }
    if (batch.from > tracker.next) {
      // Fetched in an earlier generation, or retention has passed by.
      if (tracker.soughtFor !== tracker.next) {
        tracker.soughtFor = tracker.next;
        membership?.seek(batch, tracker.next);
        return;
      }
      const { topic, partition, from } = batch;
      const fields = { ...this.#fields, topic, partition, missed: from - tracker.next };
      this.#given.options.logger.warn(
        'kafka-adapter: the topic has dropped messages that the group had not read',
        fields,
      );
    }
    batch.accept();
    if (await this.#feed.take(tracker, batch, heartbeat)) return;
    tracker.paused = true;
    this.#membership?.pause(tracker);
  }

  /** Notes what was started, and takes nothing for handled that was aborted by a rebalance. */
  #handler(handler: BatchHandler): BatchHandler {
    return (batch, signal) => {
      for (const delivery of batch) (delivery as KafkaDelivery)[entryOf].started = delivery.attempt;
      if (signal !== this.#drainSignal) {
        this.#drainSignal = signal;
        signal.addEventListener('abort', () => this.#running.abort(signal.reason), { once: true });
      }
      const running = this.#running.signal;
      return handler(batch, running).then((given) => {
        const outcomes = running.aborted ? batch.map((): Outcome => ({ ok: false, error: running.reason })) : given;
        // Its attempts are part of what is committed.
        if (!outcomes.every(isFine)) for (const delivery of batch) this.#touch(delivery);
        return outcomes;
      });
    };
  }

  #touch(delivery: Delivery): void {
    const { tracker } = (delivery as KafkaDelivery)[entryOf];
    if (!tracker.dropped) this.#committer.touch(tracker);
  }

  #settle({ tracker, handle, offset }: Entry): void {
    if (tracker.dropped) return;
    tracker.watermark.done(handle);
    tracker.guard.settled(offset);
    this.#committer.touch(tracker);
    this.#feed.settled(tracker);
  }

  // ---- ending -----------------------------------------------------------------------------------------------------------------------

  #fail(error: unknown): void {
    this.#fault ??= { error };
    this.#given.options.logger.error('kafka-adapter: the subscription has ended', {
      ...this.#fields,
      error: textOf(error),
    });
    void this.close();
  }

  async #close(): Promise<void> {
    const { prepared, subscription } = this.#given;
    this.#stop.abort();
    const { trackers } = this.#assignment;
    this.#feed.stop(trackers.values());
    for (const tracker of trackers.values()) this.#membership?.pause(tracker);
    const left = await this.lanes.drain(subscription.drainMs);
    await this.#starting.catch(() => {});
    this.#left = left.filter(({ started }) => started > 0);
    for (const tracker of trackers.values()) {
      tracker.guard.end();
      this.#committer.touch(tracker);
    }
    await withDeadline(this.#committer.flush(), farewellMs, () => {}).catch(() => {});
    this.#committer.close();
    await this.#consumer?.close();
    try {
      await prepared.close();
    } finally {
      if (this.#fault === undefined) this.#end.resolve();
      else this.#end.reject(this.#fault.error);
    }
  }
}

const isFine = (outcome: Outcome): boolean => outcome.ok;

/** Offsets and attempts of what fails at present, by partition. */
function heldBy(lanes: Lanes<Entry>, left: readonly Entry[]): Map<Tracker, [offset: string, attempt: number][]> {
  const held = new Map<Tracker, [string, number][]>();
  const add = ({ tracker, offset }: Entry, attempt: number): void => {
    const list = held.get(tracker) ?? [];
    held.set(tracker, list);
    list.push([offset, attempt]);
  };
  for (const { token, delivery } of lanes.held()) add(token, delivery.attempt);
  for (const entry of left) add(entry, entry.started);
  return held;
}
