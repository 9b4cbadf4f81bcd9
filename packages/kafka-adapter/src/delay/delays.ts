import { setTimeout as sleep } from 'node:timers/promises';
import type { BentoError, Closeable } from '@bento-bus/core';
import {
  closeOnce,
  createHeap,
  createWatermark,
  fullJitter,
  type Unfinished,
  type Watermark,
  withDeadline,
} from '@bento-bus/core/adapter';
import type {
  ConsumerEvents,
  Driver,
  DriverConsumer,
  FetchedBatch,
  FetchedRecord,
  FetchPosition,
  Membership,
  TopicPartition,
} from '../driver.ts';
import { toBentoError } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { SizedRecord } from '../publisher.ts';
import type { Topics } from '../topics.ts';
import { delayGroup, delayTopics, readWaiting, routeOf, strandedTopic, type Waiting } from './route.ts';

export interface DelaysOptions {
  readonly driver: Driver;
  readonly topics: Topics;
  readonly options: ResolvedOptions;
  readonly publish: (topic: string, records: readonly SizedRecord[]) => Promise<void>;
}

/** A partition of a topic of delay, and how far it is carried on. */
interface Lane extends TopicPartition {
  next: number;
  /** The offset that was sought last: one try, since what is asked for may be gone. */
  sought: number;
  readonly watermark: Watermark<number>;
  committed: number;
  trimmed: number;
  held: number;
  bytes: number;
  paused: boolean;
  dropped: boolean;
}

interface Held {
  readonly lane: Lane;
  readonly handle: Unfinished<number>;
  readonly record: SizedRecord;
  readonly waiting: Waiting;
  /** When it goes on, epoch milliseconds. */
  readonly at: number;
  readonly failures: number;
}

/** What of one partition is held in memory, at most. */
const mostHeld = 10_000;
const mostBytes = 32 * 1_048_576;
/** What goes on at once. */
const mostAtOnce = 1_000;
/** How often what was carried on is dropped. Milliseconds. */
const trimMs = 60_000;
/** How soon a process notices that delays came into use: they must not wait for it longer than for anything else. Milliseconds. */
const lookMs = 1_000;
/** A record that cannot be sent on goes to the side after so many tries; one that may be later is tried for ever. */
const mostTries = 5;
/** How long closing waits for what is on its way: it comes again otherwise. Milliseconds. */
const farewellMs = 5_000;
const longestTimer = 2 ** 31 - 1;

const backoff = fullJitter({ baseMs: 200, capMs: 5_000 });

/**
 * Carries delayed records on: a member of one group for all processes of the tenant that reads the topics of delay and publishes each
 * record again when its time has come, to the next topic of delay or to where it belongs. A record counts as carried when that is
 * stored; after a crash it may be carried twice. Nothing runs where delays were never used. In one file, since every step changes the same tables.
 */
export class Delays {
  readonly #given: DelaysOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #heap = createHeap<Held>((a, b) => a.at < b.at);
  readonly #underway = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #closing: Closeable;
  #topics: Promise<void> | undefined;
  #serving: Promise<void> | undefined;
  #consumer: DriverConsumer | undefined;
  #membership: Membership | undefined;
  #earliest = new Map<string, ReadonlyMap<number, number>>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #commits: NodeJS.Timeout | undefined;
  #looks: NodeJS.Timeout | undefined;
  #lastTrim = Date.now();
  #committing: Promise<void> = Promise.resolve();

  constructor(given: DelaysOptions) {
    this.#given = given;
    this.#closing = closeOnce(() => this.#close());
  }

  /** Before the first delayed record: its topics are there, and this process carries it on. */
  async use(): Promise<void> {
    this.#topics ??= this.#ensure().catch((error: unknown) => {
      this.#topics = undefined;
      throw error;
    });
    await this.#topics;
    this.#serve();
  }

  /** Carries on what others delay, from when delays are in use. */
  watch(): void {
    if (this.#looks !== undefined || this.#serving !== undefined || this.#stop.signal.aborted) return;
    const look = (): void => {
      this.#given.driver
        .exists(delayTopics[0] as string)
        .then(
          (inUse) => (inUse && !this.#stop.signal.aborted ? this.use() : undefined),
          // The next look may find out.
          () => {},
        )
        .catch((error: unknown) => this.#warn('delays are in use and cannot be served; trying again', error));
    };
    this.#looks = setInterval(
      () => (this.#serving === undefined ? look() : clearInterval(this.#looks)),
      lookMs,
    ).unref();
    look();
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  async #ensure(): Promise<void> {
    const { topics } = this.#given;
    // Nothing waits for long in them: what was carried on is dropped by its carrier, and nothing else is.
    const config = { 'retention.ms': '-1', 'retention.bytes': '-1', 'segment.bytes': '16777216' };
    for (const topic of delayTopics) {
      this.#stop.signal.throwIfAborted();
      await topics.ensure(topic, { partitions: 1, config });
    }
  }

  #serve(): void {
    if (this.#serving !== undefined || this.#stop.signal.aborted) return;
    clearInterval(this.#looks);
    this.#serving = this.#join();
  }

  /** Tries until it has joined. */
  async #join(): Promise<void> {
    const { driver, options } = this.#given;
    const { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs } = options;
    const consumer = {
      group: delayGroup,
      topics: delayTopics,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      heartbeatIntervalMs,
    };
    for (let failures = 1; !this.#stop.signal.aborted; failures += 1) {
      try {
        this.#consumer = await driver.consume(consumer, this.#events);
        return;
      } catch (error) {
        this.#warn('cannot carry on delayed messages; trying again', error);
        await sleep(backoff(failures), undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
  }

  readonly #events: ConsumerEvents = {
    connected: async (lookup) => {
      for (const topic of delayTopics) this.#earliest.set(topic, await lookup.offsets(topic, 'earliest'));
    },
    beforeJoin: () => this.#beforeJoin(),
    assigned: (partitions, membership) => this.#assigned(partitions, membership),
    batch: (batch) => this.#batch(batch),
    crashed: (error) => {
      this.#warn('carrying on delayed messages has ended; joining again', error);
      this.#drop();
      this.#membership = undefined;
      this.#serving = this.#join();
    },
  };

  /** Others get the partitions: what is on its way is stored before, so that they do not send it again. */
  async #beforeJoin(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
    const held = this.#membership;
    await withDeadline(Promise.all(this.#underway), this.#given.options.rebalanceTimeoutMs / 2, () => {});
    await this.#commit().catch(() => {});
    if (this.#membership === held) this.#membership = undefined;
    this.#drop();
  }

  async #assigned(partitions: readonly TopicPartition[], membership: Membership): Promise<readonly FetchPosition[]> {
    this.#membership = membership;
    const committed = await membership.committed(partitions);
    return committed.map(({ topic, partition, offset }) => {
      const next = offset < 0 ? (this.#earliest.get(topic)?.get(partition) ?? 0) : offset;
      const lane: Lane = {
        topic,
        partition,
        next,
        sought: -1,
        watermark: createWatermark(next - 1),
        committed: next,
        trimmed: next,
        held: 0,
        bytes: 0,
        paused: false,
        dropped: false,
      };
      this.#lanes.set(keyOf(lane), lane);
      return { topic, partition, next, paused: false };
    });
  }

  async #batch(batch: FetchedBatch): Promise<void> {
    const lane = this.#lanes.get(keyOf(batch));
    if (lane === undefined || this.#stop.signal.aborted) {
      this.#membership?.pause(batch);
      return;
    }
    if (batch.from !== lane.next && lane.sought !== lane.next) {
      lane.sought = lane.next;
      this.#membership?.seek(batch, lane.next);
      return;
    }
    batch.accept();
    lane.next = Math.max(lane.next, batch.next);
    for (const record of batch.records) this.#hold(lane, record);
    this.#schedule();
    if (lane.held < mostHeld && lane.bytes < mostBytes) return;
    lane.paused = true;
    this.#membership?.pause(lane);
  }

  #hold(lane: Lane, { offset, key, value, headers = {} }: FetchedRecord): void {
    const handle = lane.watermark.add(Number(offset));
    if (handle === undefined) return;
    const found = readWaiting(headers);
    const waiting = found ?? { to: strandedTopic, due: 0, at: 0, headers };
    const size = 200 + (value?.length ?? 0) + (key?.length ?? 0);
    lane.held += 1;
    lane.bytes += size;
    this.#heap.push({
      lane,
      handle,
      record: { key, value, headers: waiting.headers, size },
      waiting,
      at: waiting.at,
      failures: 0,
    });
  }

  /** Wakes when the first is due. */
  #schedule(): void {
    const first = this.#heap.peek();
    if (first === undefined || first.at >= this.#timerAt || this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timerAt = first.at;
    this.#timer = setTimeout(() => this.#wake(), Math.min(longestTimer, Math.max(0, first.at - Date.now())));
  }

  #wake(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = Date.now();
    const due: Held[] = [];
    for (
      let first = this.#heap.peek();
      first !== undefined && first.at <= now && due.length < mostAtOnce;
      first = this.#heap.peek()
    ) {
      this.#heap.pop();
      if (!first.lane.dropped) due.push(first);
    }
    const targets = new Map<string, { readonly held: Held[]; readonly records: SizedRecord[] }>();
    for (const held of due) {
      const { topic, record } = routeOf(held.waiting.to, held.record, held.waiting.due, now);
      const target = targets.get(topic) ?? { held: [], records: [] };
      targets.set(topic, target);
      target.held.push(held);
      target.records.push(record);
    }
    for (const [topic, { held, records }] of targets) {
      const sending = this.#send(topic, held, records);
      this.#underway.add(sending);
      void sending.finally(() => this.#underway.delete(sending));
    }
    this.#schedule();
  }

  async #send(topic: string, held: readonly Held[], records: readonly SizedRecord[]): Promise<void> {
    try {
      await this.#given.publish(topic, records);
    } catch (cause) {
      this.#again(topic, held, toBentoError(cause, `deliver what was delayed to "${topic}"`));
      return;
    }
    for (const { lane, handle, record } of held) {
      lane.held -= 1;
      lane.bytes -= record.size;
      if (!lane.dropped && lane.watermark.done(handle)) this.#commitSoon();
    }
    for (const lane of new Set(held.map((one) => one.lane))) {
      if (!lane.paused || lane.dropped || lane.held > mostHeld / 2 || lane.bytes > mostBytes / 2) continue;
      lane.paused = false;
      this.#membership?.resume(lane);
    }
  }

  /** What fails together may fail for one of them: from then on each goes by itself. */
  #again(topic: string, held: readonly Held[], error: BentoError): void {
    if (this.#stop.signal.aborted) return;
    this.#warn(`cannot deliver ${held.length} delayed messages to "${topic}"; trying again`, error);
    for (const one of held) {
      if (one.lane.dropped) continue;
      const failures = one.failures + 1;
      const at = Date.now() + backoff(failures);
      const lost = !error.retryable && failures >= mostTries && one.waiting.to !== strandedTopic;
      const headers = lost
        ? { ...one.record.headers, 'bento-to': one.waiting.to, 'bento-reason': error.message }
        : one.record.headers;
      this.#heap.push({
        ...one,
        at,
        failures,
        record: { ...one.record, headers },
        waiting: lost ? { ...one.waiting, to: strandedTopic, due: 0 } : one.waiting,
      });
    }
    this.#schedule();
  }

  #commitSoon(): void {
    this.#commits ??= setTimeout(() => {
      this.#commits = undefined;
      this.#commit().catch((error: unknown) => {
        this.#given.options.logger.debug('kafka-adapter: progress of delays could not be stored yet', { error });
      });
    }, this.#given.options.commitIntervalMs);
  }

  #commit(): Promise<void> {
    const result = this.#committing.then(() => this.#commitNow());
    this.#committing = result.catch(() => {});
    return result;
  }

  async #commitNow(): Promise<void> {
    const moved = [...this.#lanes.values()].filter((lane) => lane.watermark.low + 1 > lane.committed);
    const membership = this.#membership;
    if (moved.length === 0 || membership === undefined) return;
    const offsets = moved.map(({ topic, partition, watermark }) => ({
      topic,
      partition,
      offset: watermark.low + 1,
      metadata: '',
    }));
    await membership.commit(offsets);
    for (const [index, lane] of moved.entries()) lane.committed = offsets[index]?.offset ?? lane.committed;
    if (Date.now() - this.#lastTrim > trimMs) await this.#trim();
  }

  /** What was carried on is of no use to anybody. */
  async #trim(): Promise<void> {
    this.#lastTrim = Date.now();
    for (const lane of this.#lanes.values()) {
      if (lane.committed === lane.trimmed) continue;
      await this.#given.driver.trim(lane.topic, new Map([[lane.partition, lane.committed]]));
      lane.trimmed = lane.committed;
    }
  }

  #drop(): void {
    for (const lane of this.#lanes.values()) lane.dropped = true;
    this.#lanes.clear();
    while (this.#heap.pop() !== undefined);
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    clearInterval(this.#looks);
    await this.#topics?.catch(() => {});
    await this.#serving;
    await withDeadline(Promise.all(this.#underway), farewellMs, () => {});
    clearTimeout(this.#commits);
    await withDeadline(this.#commit(), farewellMs, () => {}).catch(() => {});
    await this.#consumer?.close();
    this.#drop();
  }

  #warn(text: string, cause: unknown): void {
    if (this.#stop.signal.aborted) return;
    const error = toBentoError(cause, 'carry on delayed messages');
    this.#given.options.logger.warn(`kafka-adapter: ${text}`, { group: delayGroup, error });
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
