import { setTimeout } from 'node:timers/promises';
import { BentoError, isBentoError, type Logger, type Position } from '@bento-bus/core';
import { type Backoff, fullJitter } from '@bento-bus/core/adapter';
import type { Admin } from '../admin.ts';
import type { Driver, DriverReader, EncodedMessage } from '../driver.ts';
import type { Names, TopicName } from '../names.ts';
import type { MessagePosition } from '../position.ts';
import { Writer } from './writer.ts';

/** The checkpoint of a log as it is stored: one record has all of it. */
export interface CheckpointRecord {
  readonly kind: 'checkpoint';
  /** Rises with every opening: who finds a higher one than its own is no longer the holder. */
  readonly epoch: number;
  readonly holder: string;
  /** Every item at or before it is stored. */
  readonly through: Position;
  /** By topic or partition: behind this message none is stored of an item at or before `through`. */
  readonly at: Readonly<Record<string, MessagePosition>>;
}

/** Asks the holder to let go. */
interface Takeover {
  readonly kind: 'takeover';
  readonly by: string;
}

export interface LeaseContext {
  readonly driver: Driver;
  readonly admin: Admin;
  readonly logger: Logger;
  /** How long to wait for the holder to let go. Milliseconds. */
  readonly timeoutMs: number;
}

export interface LeaseEvents {
  /** Somebody else asks for it. */
  readonly onTakeover: () => void;
  /** The connection is gone; nobody may have it, or somebody else. */
  readonly onLost: () => void;
}

const askAgainMs = 1_000;
/** How often a process that stands by looks whether the log is free. */
const standbyMs = 1_000;
/** After the broker was away. */
const graceMs = 3_000;
const pollBackoff: Backoff = fullJitter({ baseMs: 40, capMs: 400 });
/** Requests to let go that may stand behind the last checkpoint. */
const furthestBack = 10_000;

/**
 * Who publishes a log: the one whose producer on the topic `<log>-CHECKPOINT` has the log's name, which the broker gives to one at a time
 * and takes back when its connection is gone. It is asked for by a message on the topic; a holder that lives lets go at once.
 */
export class Lease {
  readonly #topic: TopicName;
  readonly #log: string;
  readonly #holder: string;
  readonly #context: LeaseContext;
  readonly #events: LeaseEvents;
  #writer: Writer | undefined;
  #reader: DriverReader | undefined;

  constructor(topic: TopicName, log: string, holder: string, events: LeaseEvents, context: LeaseContext) {
    this.#topic = topic;
    this.#log = log;
    this.#holder = holder;
    this.#events = events;
    this.#context = context;
  }

  /** Takes it over: whoever holds it is asked to let go. */
  async take(signal: AbortSignal): Promise<void> {
    let asked = Number.NEGATIVE_INFINITY;
    await this.#acquire(signal, async () => {
      if (performance.now() - asked < askAgainMs) return;
      asked = performance.now();
      await this.#ask();
    });
  }

  /** After a loss: takes it again where it is free. Rejects with `FENCED` where somebody else has opened the log. */
  async retake(signal: AbortSignal, isFenced: () => Promise<boolean>): Promise<void> {
    await this.#acquire(signal, async () => {
      if (await isFenced()) throw new BentoError('FENCED', this.#text('it was opened by another process'));
    });
  }

  get held(): boolean {
    return this.#writer !== undefined;
  }

  /** The checkpoint stored last. */
  read(): Promise<CheckpointRecord | undefined> {
    return readCheckpoint(this.#context.admin, this.#topic);
  }

  async write(record: CheckpointRecord): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) throw new BentoError('CONNECTION', this.#text('the lease is lost for now'), true);
    await writer.send(this.#encode(record));
  }

  async release(): Promise<void> {
    const [writer, reader] = [this.#writer, this.#reader];
    this.#writer = undefined;
    this.#reader = undefined;
    await Promise.all([writer?.close(), reader?.close()]);
  }

  /** Waits until nobody has it any more; `onStandby` is told once that it waits. */
  async standBy(signal: AbortSignal, onStandby: () => void): Promise<void> {
    const { admin, logger } = this.#context;
    let tell: (() => void) | undefined = onStandby;
    for (;;) {
      try {
        if (await this.#tryAcquire(signal)) return;
        tell?.();
        tell = undefined;
      } catch (error) {
        signal.throwIfAborted();
        if (!isBentoError(error) || !error.retryable) throw error;
        logger.debug('pulsar-adapter: the broker cannot be asked who publishes a log', { log: this.#log, error });
        // A holder that lives comes back before those that wait.
        await admin.storage(this.#topic).catch(() => undefined);
        await setTimeout(graceMs, undefined, { signal });
      }
      await setTimeout(standbyMs / 2 + (Math.random() * standbyMs) / 2, undefined, { signal });
    }
  }

  async #acquire(signal: AbortSignal, onConflict: () => Promise<void>): Promise<void> {
    const { timeoutMs } = this.#context;
    const end = performance.now() + timeoutMs;
    for (let tries = 1; !(await this.#tryAcquire(signal)); tries += 1) {
      if (performance.now() > end) throw heldError(this.#log, timeoutMs);
      await onConflict();
      await setTimeout(pollBackoff(Math.min(tries, 5)), undefined, { signal });
    }
  }

  /** False: somebody has it. */
  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    try {
      const writer = await Writer.open(this.#context.driver, this.#topic, `bento/${this.#log}`, 10);
      this.#writer = writer;
      void this.#watch(writer);
    } catch (error) {
      if (isBentoError(error, 'GROUP_CONFLICT')) return false;
      throw error;
    }
    await this.#listen();
    return true;
  }

  async #watch(writer: Writer): Promise<void> {
    await writer.over;
    if (this.#writer === writer) await this.#lose();
  }

  async #lose(): Promise<void> {
    if (this.#writer === undefined) return;
    await this.release();
    this.#events.onLost();
  }

  /** Hears requests to let go: those made from now on, as whoever still waits asks again. */
  async #listen(): Promise<void> {
    const { driver, admin } = this.#context;
    const last = (await admin.storage(this.#topic))?.last ?? '';
    this.#reader = await driver.openReader(this.#topic, `bento-reader-${this.#log}`, last, {
      onMessage: ({ body }) => {
        const record = parsed(Buffer.from(body).toString());
        if (record?.kind === 'takeover' && record.by !== this.#holder) this.#events.onTakeover();
      },
      // Deaf, it must not go on.
      onClose: () => void this.#lose(),
    });
  }

  async #ask(): Promise<void> {
    const { driver } = this.#context;
    const writer = await Writer.open(driver, this.#topic, `bento/${this.#log}/takeover/${this.#holder}`, 1);
    await writer.send(this.#encode({ kind: 'takeover', by: this.#holder }));
    await writer.close();
  }

  #encode(record: CheckpointRecord | Takeover): EncodedMessage {
    const body = Buffer.from(JSON.stringify(record));
    return this.#context.driver.encode({ key: record.kind, properties: {}, body, deliverAt: undefined });
  }

  #text(cause: string): string {
    return `pulsar-adapter: cannot publish log "${this.#log}": ${cause}. Open it again.`;
  }
}

/** Where the checkpoint of a log is kept. */
export const checkpointTopic = (names: Names, log: string, what: string): TopicName =>
  names.topic(`${log.replaceAll('/', '%2F')}-CHECKPOINT`, what);

/** The checkpoint stored last on a topic; it may not exist. */
export async function readCheckpoint(admin: Admin, topic: TopicName): Promise<CheckpointRecord | undefined> {
  for (let back = 1; back < furthestBack; back += 1) {
    const text = await admin.messageFromEnd(topic, back);
    if (text === undefined) return undefined;
    const record = parsed(text);
    if (record?.kind === 'checkpoint') return record;
  }
  return undefined;
}

/** What waits for a name that another producer has. */
export const heldError = (log: string, timeoutMs: number, cause?: unknown): BentoError =>
  new BentoError(
    'TIMEOUT',
    `pulsar-adapter: cannot open log "${log}": its publisher did not let go within ${timeoutMs} ms. If its process is stopped, end it; else the broker drops it after webSocketSessionIdleTimeoutMillis (300,000 by default).`,
    true,
    { cause },
  );

function parsed(text: string): CheckpointRecord | Takeover | undefined {
  try {
    return JSON.parse(text) as CheckpointRecord | Takeover;
  } catch {
    return undefined;
  }
}
