import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  BentoError,
  type CheckpointedItem,
  type CheckpointedOptions,
  type CheckpointedPublisher,
  type Closeable,
  FencedError,
  isBentoError,
  type Position,
  PublishError,
} from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import type { Admin } from '../admin.ts';
import type { Driver, EncodedMessage } from '../driver.ts';
import { toBentoError } from '../errors.ts';
import { type Names, partitionTopic, type TopicName } from '../names.ts';
import type { ResolvedOptions } from '../options.ts';
import { comparePositions, type MessagePosition } from '../position.ts';
import type { Encoder } from '../publish/encode.ts';
import type { Topics } from '../topics.ts';
import { type Draft, draftsOf, type Target } from './drafts.ts';
import { type CheckpointRecord, checkpointTopic, heldError, Lease } from './lease.ts';
import { prepareTopic, retain } from './prepare-topics.ts';
import { storedBehind } from './stored.ts';
import { Writer } from './writer.ts';

export interface LogContext {
  readonly driver: Driver;
  readonly admin: Admin;
  readonly names: Names;
  readonly topics: Topics;
  readonly encoder: Encoder;
  readonly options: ResolvedOptions;
  /** Aborts when the transport closes. */
  readonly ending: AbortSignal;
}

/** How long the topic of checkpoints may get: it is kept for good. Megabytes. */
const checkpointMegabytes = 64;

const recoverMs = 200;
/** So soon after a checkpoint no other process can have opened the log and closed it again. */
const trustedMs = 100;

/**
 * The one publisher of a log. What it has stored is never guessed: whenever connections were lost, and when it opens, it takes the names of
 * all its producers, which no other process can have at the same time, and then reads what stands behind the checkpoint. Only what is not
 * there is sent. The broker's deduplication covers the rest of the way, between its own parts. In one file, since every
 * step depends on the same few things: which names are held, what is stored, where the checkpoint is.
 */
export class LogPublisher implements CheckpointedPublisher {
  resumeAfter: Position = '';
  readonly #log: string;
  readonly #context: LogContext;
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #lease: Lease;
  readonly #holder = randomUUID();
  readonly #closing: Closeable;
  readonly #end = new AbortController();
  readonly #release: () => void;
  readonly #writers = new Map<string, Writer>();
  /** Positions of items that are stored behind the checkpoint. */
  readonly #stored = new Set<Position>();
  #at: Record<string, MessagePosition> = {};
  #savedAt: Readonly<Record<string, MessagePosition>> = {};
  #epoch = 0;
  #checkpoint: Position = '';
  #connected = false;
  /** When the broker took a checkpoint last. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** Under way or waiting. */
  #publishes = 0;
  /** One publish after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    log: string,
    targets: readonly Target[],
    checkpoints: TopicName,
    signal: AbortSignal | undefined,
    context: LogContext,
  ) {
    this.#log = log;
    this.#context = context;
    this.#targets = new Map(targets.map((target) => [target.name, target]));
    const { driver, admin, options } = context;
    const { logger, fenceTimeoutMs: timeoutMs } = options;
    const fenced = (): void => this.#stop(new FencedError(`${this.#what()}: it was opened by another process. Stop.`));
    const events = { onTakeover: fenced, onLost: () => this.#recover() };
    this.#lease = new Lease(checkpoints, log, this.#holder, events, { driver, admin, logger, timeoutMs });
    const onAbort = (): void =>
      this.#stop(new BentoError('ABORTED', `${this.#what()}: it was aborted.`, false, { cause: signal?.reason }));
    const onEnding = (): void => void this.close();
    this.#release = () => {
      signal?.removeEventListener('abort', onAbort);
      context.ending.removeEventListener('abort', onEnding);
    };
    this.#closing = closeOnce(async () => {
      this.#stop(closedError(log));
      await this.#last;
      await this.#disconnect();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    context.ending.addEventListener('abort', onEnding, { once: true });
    if (signal?.aborted === true) onAbort();
  }

  static async open(
    log: string,
    { topics, signal, onStandby }: CheckpointedOptions,
    context: LogContext,
  ): Promise<LogPublisher> {
    const { admin, names, options } = context;
    const { logRetentionMinutes, requestTimeoutMs } = options;
    signal?.throwIfAborted();
    const checkpoints = checkpointTopic(names, log, 'open');
    const [targets] = await Promise.all([
      Promise.all(
        [...new Set(topics)].map(async (name): Promise<Target> => {
          const topic = names.topic(name, 'publish to');
          const partitions = await context.topics.partitions(topic);
          await prepareTopic(admin, topic, logRetentionMinutes, requestTimeoutMs);
          return {
            name,
            parts:
              partitions === 0
                ? [topic]
                : Array.from({ length: partitions }, (_, index) => partitionTopic(topic, index)),
          };
        }),
      ),
      (async () => {
        await admin.createTopic(checkpoints, 0);
        await retain(admin, checkpoints, { minutes: -1, megabytes: checkpointMegabytes });
      })(),
    ]);
    const publisher = new LogPublisher(log, targets, checkpoints, signal, context);
    try {
      await publisher.#connect({ onStandby });
      publisher.#end.signal.throwIfAborted();
      publisher.resumeAfter = publisher.#checkpoint;
      return publisher;
    } catch (cause) {
      const { signal: end } = publisher.#end;
      const error: unknown = end.aborted ? end.reason : cause;
      publisher.#stop(closedError(log));
      await publisher.#disconnect();
      throw toBentoError(error, `open log "${log}"`);
    }
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async publish(items: readonly CheckpointedItem[], through: Position): Promise<void> {
    const drafts = draftsOf(this.#log, items, through, this.#targets, this.#context.encoder);
    this.#publishes += 1;
    const published = this.#last
      .then(() => this.#publish(drafts, through))
      .finally(() => {
        this.#publishes -= 1;
      });
    this.#last = published.catch(() => {});
    return published;
  }

  /** Every publish, also one that is under way, rejects with `reason`; the first reason counts. The names are free at once. */
  #stop(reason: BentoError): void {
    this.#release();
    if (this.#end.signal.aborted) return;
    this.#end.abort(reason);
    if (reason.code !== 'CLOSED') void this.#disconnect();
  }

  async #publish(drafts: readonly Draft[], through: Position): Promise<void> {
    const { options } = this.#context;
    const end = performance.now() + options.publishTimeoutMs;
    for (let failures = 1; ; failures += 1) {
      this.#end.signal.throwIfAborted();
      try {
        if (!this.#connected) await this.#connect();
        else await this.#verify();
        await this.#send(drafts);
        await this.#save(through);
        return;
      } catch (cause) {
        await this.#disconnect();
        this.#end.signal.throwIfAborted();
        const error = toBentoError(cause, `publish log "${this.#log}"`);
        if (error.code === 'FENCED') this.#stop(new FencedError(error.message));
        this.#end.signal.throwIfAborted();
        const wait = options.backoff(failures);
        if (!error.retryable || performance.now() + wait > end) throw this.#publishError(drafts, error);
        options.logger.warn('pulsar-adapter: publishing a log was interrupted; what is stored is looked up', {
          log: this.#log,
          error,
        });
        await setTimeout(wait, undefined, { signal: this.#end.signal }).catch(() => {});
      }
    }
  }

  /** The lease is lost between publishes: taken again at once, before one that stands by has it. */
  #recover(): void {
    const { options } = this.#context;
    const end = performance.now() + options.publishTimeoutMs;
    const work = async (): Promise<void> => {
      // A publish that waits does it itself.
      while (!this.#end.signal.aborted && this.#publishes === 0 && !this.#lease.held && performance.now() < end) {
        try {
          await this.#disconnect();
          await this.#connect();
        } catch (error) {
          await this.#disconnect();
          if (isBentoError(error, 'FENCED')) this.#stop(new FencedError(error.message));
          await setTimeout(recoverMs, undefined, { signal: this.#end.signal }).catch(() => {});
        }
      }
    };
    this.#last = this.#last.then(work);
  }

  async #send(drafts: readonly Draft[]): Promise<void> {
    const sent: Promise<void>[] = [];
    for (const { position, part, message } of drafts) {
      if (position <= this.#checkpoint || this.#stored.has(position)) continue;
      const writer = this.#writers.get(part.full) as Writer;
      const room = writer.room();
      if (room !== undefined) await room;
      this.#end.signal.throwIfAborted();
      const stored = this.#store(writer, message, position);
      // Awaited below; until then a rejection is nobody's.
      stored.catch(() => {});
      sent.push(stored);
    }
    await Promise.all(sent);
  }

  async #store(writer: Writer, message: EncodedMessage, position: Position): Promise<void> {
    this.#at[writer.topic.full] = await writer.send(message);
    this.#stored.add(position);
  }

  async #save(through: Position): Promise<void> {
    if (through <= this.#checkpoint) return;
    this.#end.signal.throwIfAborted();
    const left = [...this.#stored].filter((position) => position > through);
    // Items behind the new checkpoint have to be found again.
    if (left.length === 0) this.#savedAt = { ...this.#at };
    await this.#lease.write(this.#record(through));
    this.#checkpoint = through;
    this.#confirmedAt = performance.now();
    this.#stored.clear();
    for (const position of left) this.#stored.add(position);
  }

  #record(through: Position): CheckpointRecord {
    return { kind: 'checkpoint', epoch: this.#epoch, holder: this.#holder, through, at: this.#savedAt };
  }

  /** Producers that come back by themselves may have been away, and another process may have come and gone. */
  async #verify(): Promise<void> {
    if (!this.#context.driver.reconnects || performance.now() - this.#confirmedAt < trustedMs) return;
    if ((await this.#lease.read())?.epoch !== this.#epoch)
      throw new FencedError(`${this.#what()}: it was opened by another process. Stop.`);
  }

  /** Takes the lease and all names, then reads what is stored. `first`: it takes them from whoever has them, or waits for them. */
  async #connect(first?: { readonly onStandby: (() => void) | undefined }): Promise<void> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    if (first?.onStandby !== undefined) await this.#lease.standBy(signal, first.onStandby);
    else if (first !== undefined) await this.#lease.take(signal);
    else await this.#lease.retake(signal, async () => ((await this.#lease.read())?.epoch ?? 0) > this.#epoch);
    const found = await this.#lease.read();
    if (first !== undefined) {
      this.#epoch = (found?.epoch ?? 0) + 1;
      this.#checkpoint = found?.through ?? '';
      this.#savedAt = found?.at ?? {};
      this.#at = { ...this.#savedAt };
      await this.#lease.write(this.#record(this.#checkpoint));
    } else if (found?.epoch !== this.#epoch)
      throw new FencedError(`${this.#what()}: it was opened by another process. Stop.`);
    // It may have been stored when its confirmation was lost.
    else if (found.through > this.#checkpoint) this.#checkpoint = found.through;
    const parts = [...this.#targets.values()].flatMap((target) => target.parts);
    await Promise.all(parts.map((part) => this.#openWriter(part)));
    await Promise.all(parts.map((part) => this.#look(part)));
    signal.throwIfAborted();
    this.#connected = true;
  }

  async #openWriter(part: TopicName): Promise<void> {
    const { driver, options } = this.#context;
    const end = performance.now() + options.fenceTimeoutMs;
    for (;;) {
      this.#end.signal.throwIfAborted();
      try {
        const writer = await Writer.open(driver, part, `bento/${this.#log}/events`, options.maxInFlight);
        this.#writers.set(part.full, writer);
        return;
      } catch (error) {
        if (!isBentoError(error, 'GROUP_CONFLICT')) throw error;
        if (performance.now() > end) throw heldError(this.#log, options.fenceTimeoutMs, error);
        await setTimeout(50, undefined, { signal: this.#end.signal });
      }
    }
  }

  async #look(part: TopicName): Promise<void> {
    const { driver, admin, options } = this.#context;
    const { signal } = this.#end;
    const from = this.#at[part.full] ?? '';
    const { positions, last } = await storedBehind(part, from, this.#log, {
      driver,
      admin,
      signal,
      timeoutMs: options.fenceTimeoutMs,
    });
    for (const position of positions) if (position > this.#checkpoint) this.#stored.add(position);
    if (comparePositions(last, from) > 0) this.#at[part.full] = last;
  }

  /** The events' names first: the lease says that they are free. */
  async #disconnect(): Promise<void> {
    this.#connected = false;
    const writers = [...this.#writers.values()];
    this.#writers.clear();
    await Promise.all(writers.map((writer) => writer.close()));
    await this.#lease.release();
  }

  #publishError(drafts: readonly Draft[], cause: BentoError): BentoError {
    const failed = drafts.flatMap(({ position }, index) =>
      position <= this.#checkpoint || this.#stored.has(position) ? [] : [index],
    );
    if (failed.length === 0) return cause;
    return new PublishError(
      `${this.#what()}: ${cause.message.replace(/^pulsar-adapter: /, '')}`,
      failed,
      cause.retryable,
      { cause },
    );
  }

  #what(): string {
    return `pulsar-adapter: cannot publish log "${this.#log}"`;
  }
}

const closedError = (log: string): BentoError =>
  new BentoError('CLOSED', `pulsar-adapter: cannot publish log "${log}": its publisher is closed. Open the log again.`);
