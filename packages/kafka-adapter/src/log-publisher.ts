import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  BentoError,
  type CheckpointedItem,
  type CheckpointedPublisher,
  type Closeable,
  FencedError,
  type Position,
} from '@bento-bus/core';
import { checkLogItems, closeOnce, dueTimeOf, fullJitter, withDeadline } from '@bento-bus/core/adapter';
import { type Checkpoint, checkpointTopic, readCheckpoint } from './checkpoint.ts';
import { routeOf } from './delay/route.ts';
import type { Driver, DriverRecord, TransactionalProducer } from './driver.ts';
import { isFenced, toBentoError } from './errors.ts';
import { aborted, Lease } from './lease.ts';
import type { ResolvedOptions } from './options.ts';
import { recordOf, type SizedRecord } from './publisher.ts';
import { checkTopic, type Topics } from './topics.ts';

/** Bytes of events in one transaction, at most; a larger publish becomes several. */
const transactionBytes = 4_000_000;

/** What a log publisher is made of. */
export interface LogPublisherOptions {
  readonly log: string;
  readonly topics: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** Wait while another process publishes the log. */
  readonly onStandby: (() => void) | undefined;
  readonly driver: Driver;
  readonly known: Topics;
  readonly options: ResolvedOptions;
  /** Makes ready for messages that are to wait. */
  readonly beforeDelayed: () => Promise<void>;
  readonly onEnd: (publisher: LogPublisher) => void;
}

interface LogItem {
  readonly topic: string;
  readonly position: Position;
  readonly record: SizedRecord;
  readonly delayed: boolean;
}

/** How long who takes a log over waits to be a member of those that stand by. Milliseconds. */
const leaseMs = 5_000;

const backoff = fullJitter({ baseMs: 50, capMs: 1_000 });

/**
 * The one publisher of a log: events and checkpoint go in one transaction. When it is not known how a transaction has ended, the log is
 * fenced and its checkpoint read again, unless another opening has written it since. It ends once: by close, its signal, or a fence.
 */
export class LogPublisher implements CheckpointedPublisher {
  resumeAfter: Position = '';
  readonly #given: LogPublisherOptions;
  readonly #topic: string;
  readonly #owner: string = randomUUID();
  readonly #end = new AbortController();
  readonly #release: () => void;
  readonly #closing: Closeable;
  #producer: TransactionalProducer | undefined;
  #lease: Promise<Lease | undefined> = Promise.resolve(undefined);
  #checkpoint: Position = '';
  /** One publish after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(given: LogPublisherOptions) {
    this.#given = given;
    this.#topic = checkpointTopic(given.log);
    const { signal } = given;
    const onAbort = (): void =>
      this.#stop(new BentoError('ABORTED', `${this.#what()}: it was aborted.`, false, { cause: signal?.reason }));
    this.#release = () => signal?.removeEventListener('abort', onAbort);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    this.#closing = closeOnce(async () => {
      this.#stop(new BentoError('CLOSED', `${this.#what()}: its publisher is closed. Open the log again.`));
      await this.#last;
      await this.#producer?.close();
      await (await this.#lease.catch(() => undefined))?.close();
      given.onEnd(this);
    });
  }

  static async open(given: LogPublisherOptions): Promise<LogPublisher> {
    const publisher = new LogPublisher(given);
    try {
      await publisher.#open();
      return publisher;
    } catch (error) {
      await publisher.close();
      throw toBentoError(error, `open log "${given.log}"`);
    }
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async publish(items: readonly CheckpointedItem[], through: Position): Promise<void> {
    const checked = this.#check(items, through);
    const published = this.#last.then(() => this.#publish(checked, through));
    this.#last = published.catch(() => {});
    return published;
  }

  async #open(): Promise<void> {
    const { topics, known, options, onStandby } = this.#given;
    await this.#stubbornly(Date.now() + options.publishTimeoutMs, async () => {
      for (const topic of topics) await known.ensure(topic);
      await known.ensure(this.#topic, { compacted: true, partitions: 1 });
    });
    if (onStandby !== undefined) await this.#standBy(onStandby);
    const deadline = Date.now() + options.publishTimeoutMs;
    await this.#stubbornly(deadline, async () => {
      await this.#fence();
      this.#checkpoint = (await this.#read())?.position ?? '';
      // From here on a later opening can be told from this one.
      await this.#transact([], this.#checkpoint, deadline);
    });
    this.resumeAfter = this.#checkpoint;
    // Those that stand by must see that somebody publishes; one that hangs must not hold this up.
    if (onStandby === undefined) await withDeadline(this.#join(), leaseMs, () => {}).catch(() => {});
  }

  async #standBy(onStandby: () => void): Promise<void> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    const lease = await Promise.race([this.#join(), aborted(signal)]);
    await lease?.acquired(signal, onStandby);
    signal.throwIfAborted();
  }

  #join(): Promise<Lease> {
    const { driver, log, options } = this.#given;
    const joining = Lease.join(driver, this.#topic, log, options);
    this.#lease = joining;
    return joining;
  }

  async #publish(items: readonly LogItem[], through: Position): Promise<void> {
    const deadline = Date.now() + this.#given.options.publishTimeoutMs;
    await this.#stubbornly(deadline, async () => {
      if (items.some(({ delayed }) => delayed)) await this.#given.beforeDelayed();
      if (this.#producer === undefined) await this.#recover();
      while (this.#checkpoint < through) {
        this.#end.signal.throwIfAborted();
        const left = items.filter(({ position }) => position > this.#checkpoint);
        const next = upTo(left, transactionBytes);
        const at = next.length < left.length ? (next.at(-1) as LogItem).position : through;
        await this.#transact(next, at, deadline);
      }
    });
  }

  /** Until the deadline. After an error the producer is of no use any more. */
  async #stubbornly(deadline: number, work: () => Promise<void>): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        this.#end.signal.throwIfAborted();
        await work();
        return;
      } catch (cause) {
        const producer = this.#producer;
        this.#producer = undefined;
        void producer?.close();
        const error = toBentoError(cause, `publish log "${this.#given.log}"`);
        if (isFenced(cause) || error.code === 'FENCED') this.#stop(error);
        const wait = backoff(failures);
        if (!error.retryable || this.#end.signal.aborted || Date.now() + wait >= deadline) throw error;
        this.#given.options.logger.info('kafka-adapter: publishing a log failed; trying again', {
          log: this.#given.log,
          error,
        });
        await setTimeout(wait);
      }
    }
  }

  /** Goes on where the log stands, unless it is another's by now. */
  async #recover(): Promise<void> {
    this.#checkMine(await this.#read());
    await this.#fence();
    const checkpoint = await this.#read();
    this.#checkMine(checkpoint);
    this.#checkpoint = checkpoint?.position ?? '';
  }

  #checkMine(checkpoint: Checkpoint | undefined): void {
    if (checkpoint === undefined || checkpoint.owner === this.#owner) return;
    throw new FencedError(`${this.#what()}: another process took it over. Stop here.`);
  }

  async #fence(): Promise<void> {
    this.#producer = await this.#given.driver.transactional(this.#topic);
  }

  #read(): Promise<Checkpoint | undefined> {
    return readCheckpoint(this.#given.driver, this.#given.log, this.#what());
  }

  /** Items and the checkpoint behind them. */
  async #transact(items: readonly LogItem[], position: Position, deadline: number): Promise<void> {
    const { maxMessageBytes } = this.#given.options;
    const parts: Map<string, DriverRecord[]>[] = [];
    for (let from = 0; from < items.length; ) {
      const batch = upTo(items.slice(from), Math.min(900_000, maxMessageBytes));
      const part = new Map<string, DriverRecord[]>();
      for (const { topic, record } of batch) {
        const records = part.get(topic) ?? [];
        part.set(topic, records);
        // Sent again after an error it may go elsewhere.
        records.push({ ...record });
      }
      parts.push(part);
      from += batch.length;
    }
    const value = Buffer.from(JSON.stringify({ position, owner: this.#owner } satisfies Checkpoint));
    const last = parts.at(-1) ?? new Map<string, DriverRecord[]>();
    if (parts.length === 0) parts.push(last);
    last.set(this.#topic, [{ key: this.#given.log, value, headers: {} }]);
    await (this.#producer as TransactionalProducer).transact(parts, Math.max(100, deadline - Date.now()));
    this.#checkpoint = position;
  }

  /** The records of the items. Faults are found before anything is stored. */
  #check(items: readonly CheckpointedItem[], through: Position): LogItem[] {
    const { topics, options } = this.#given;
    checkLogItems(this.#what(), new Set(topics), items, through);
    const now = Date.now();
    return items.map(({ topic, message, position }) => {
      const due = dueTimeOf('kafka-adapter', topic, message) ?? 0;
      return { position, ...routeOf(topic, recordOf(topic, message, options), due, now), delayed: due > now };
    });
  }

  /** Every publish rejects with `reason` from now on; the first reason counts. */
  #stop(reason: BentoError): void {
    this.#release();
    this.#end.abort(reason);
  }

  #what(): string {
    return `kafka-adapter: cannot publish log "${this.#given.log}"`;
  }
}

/** Checks what a log can be opened with. */
export function checkLog(log: string, topics: readonly string[]): void {
  checkTopic('open the log with', checkpointTopic(log));
  for (const topic of topics) checkTopic('publish to', topic);
}

/** As many of the first items as have so many bytes; one at least. */
function upTo(items: readonly LogItem[], bytes: number): readonly LogItem[] {
  let size = 0;
  const end = items.findIndex(({ record }, index) => (size += record.size) > bytes && index > 0);
  return end < 0 ? items : items.slice(0, end);
}
