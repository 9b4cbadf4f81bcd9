import type { BentoError, Logger } from '@bento-bus/core';
import { type Backoff, deferred, withDeadline } from '@bento-bus/core/adapter';
import type { Admin } from '../admin.ts';
import type { Driver, DriverReader, IncomingMessage } from '../driver.ts';
import { toBentoError } from '../errors.ts';
import { besideTopic, type TopicName } from '../names.ts';
import { comparePositions, type MessagePosition } from '../position.ts';
import type { Publisher } from '../publish/publisher.ts';

export interface AttemptsContext {
  readonly driver: Driver;
  readonly admin: Admin;
  readonly publisher: Publisher;
  readonly backoff: Backoff;
  readonly timeoutMs: number;
  readonly logger: Logger;
}

/** Where the records that still matter begin: its cursor keeps them, whatever the namespace's retention is. */
const cursor = 'bento-attempts';
const snapshotKey = 'snapshot';
/** Records between snapshots: reading takes some ten milliseconds at most. */
const snapshotAfter = 1_000;

interface Kept {
  readonly at: MessagePosition;
  readonly value: unknown;
}

/** All live records as of a position: those that stand behind it win. */
interface Snapshot {
  readonly asOf: MessagePosition;
  readonly records: readonly (readonly [key: string, value: unknown])[];
}

/**
 * The small keyed store of one group on one topic, in the topic `<topic>-<group>-ATTEMPTS`: the last record of a key counts, an empty one
 * deletes. Compacted by its users: now and then one writes all of it as one record and moves the cursor there. Pulsar's own compaction
 * would not do, as its WebSocket API cannot read compacted topics.
 */
export class AttemptsTopic {
  readonly topic: TopicName;
  readonly #context: AttemptsContext;
  /** Who writes; it passes over its own records when they come back. */
  readonly #writer: string;
  readonly #kept = new Map<string, Kept>();
  readonly #onRecord: (key: string, value: unknown) => void;
  #seen: MessagePosition = '';
  /** Records since the last snapshot. */
  #records = 0;
  #compacting = false;
  #reader: DriverReader | undefined;
  #closed = false;
  #wake: (() => void) | undefined;
  #onSeen: (() => void) | undefined;

  constructor(
    topic: TopicName,
    group: string,
    writer: string,
    onRecord: (key: string, value: unknown) => void,
    context: AttemptsContext,
  ) {
    this.topic = besideTopic(topic, `${group}-ATTEMPTS`);
    this.#writer = writer;
    this.#onRecord = onRecord;
    this.#context = context;
  }

  /** Reads to the end, then follows. */
  async open(): Promise<void> {
    const { admin, timeoutMs } = this.#context;
    const storage = await admin.storage(this.topic);
    if (storage === undefined) await admin.createTopic(this.topic, 0);
    if (!storage?.acknowledged.has(cursor)) await admin.createSubscription(this.topic, cursor, 'earliest');
    this.#seen = storage?.acknowledged.get(cursor) ?? '';
    const last = storage?.last ?? '';
    const caughtUp = deferred();
    this.#onSeen = () => {
      if (comparePositions(this.#seen, last) >= 0) caughtUp.resolve();
    };
    this.#onSeen();
    void this.#follow();
    await withDeadline(caughtUp.promise, timeoutMs, () => {
      throw toBentoError(
        new DOMException(`its end was not reached in ${timeoutMs} ms`, 'TimeoutError'),
        `read "${this.topic.full}"`,
      );
    });
    this.#onSeen = undefined;
  }

  get(key: string): unknown {
    return this.#kept.get(key)?.value;
  }

  /** Live records whose keys begin so; keys without it. */
  *entries(prefix: string): Iterable<readonly [string, unknown]> {
    for (const [key, { value }] of this.#kept)
      if (value !== undefined && key.startsWith(prefix)) yield [key.slice(prefix.length), value];
  }

  /** Resolves when it is stored. */
  async put(key: string, value: object | undefined): Promise<void> {
    await this.#context.publisher.store(this.topic, key, value ?? null, { writer: this.#writer });
    if (this.#records > snapshotAfter) void this.#compact();
  }

  /** What a writer that died has left at the broker. */
  async clearAfter(writer: string): Promise<void> {
    const { driver, admin } = this.#context;
    if (driver.reconnects) await admin.deleteSubscription(this.topic, readerOf(writer));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.#reader?.close();
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  async #follow(): Promise<void> {
    const { driver, backoff, logger } = this.#context;
    for (let failures = 0; !this.#closed; ) {
      try {
        const lost = deferred<BentoError>();
        const reader = await driver.openReader(this.topic, readerOf(this.#writer), this.#seen, {
          onMessage: (message) => this.#apply(message),
          onClose: lost.resolve,
        });
        this.#reader = reader;
        failures = 0;
        if (this.#isClosed()) await reader.close();
        else throw await lost.promise;
      } catch (error) {
        if (this.#isClosed()) return;
        failures += 1;
        logger.debug('pulsar-adapter: the topic of attempts is read again', { topic: this.topic.full, error });
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, backoff(failures)).unref();
          this.#wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  }

  #apply({ position, key = '', properties, body }: IncomingMessage): void {
    if (comparePositions(position, this.#seen) <= 0 && this.#seen !== '') return;
    this.#seen = position;
    const value = parsed(body);
    if (key === snapshotKey) this.#applySnapshot(value as Snapshot);
    else {
      this.#records += 1;
      this.#kept.set(key, { at: position, value });
      if (properties['writer'] !== this.#writer) this.#onRecord(key, value);
    }
    this.#onSeen?.();
  }

  #applySnapshot({ asOf, records }: Snapshot): void {
    this.#records = 0;
    for (const [key, value] of records) {
      const kept = this.#kept.get(key);
      if (kept !== undefined && comparePositions(kept.at, asOf) > 0) continue;
      this.#kept.set(key, { at: asOf, value });
      if (kept === undefined) this.#onRecord(key, value);
    }
    // What was deleted before it needs no remembering any more.
    for (const [key, { at, value }] of this.#kept)
      if (value === undefined && comparePositions(at, asOf) <= 0) this.#kept.delete(key);
  }

  async #compact(): Promise<void> {
    if (this.#compacting) return;
    this.#compacting = true;
    const { admin, publisher, logger } = this.#context;
    try {
      const asOf = this.#seen;
      const records = [...this.entries('')];
      this.#records = 0;
      await publisher.store(this.topic, snapshotKey, { asOf, records } satisfies Snapshot);
      await admin.seek(this.topic, cursor, asOf);
    } catch (error) {
      logger.warn('pulsar-adapter: cannot compact the topic of attempts; it grows until the next try', {
        topic: this.topic.full,
        error,
      });
    } finally {
      this.#compacting = false;
    }
  }
}

const readerOf = (writer: string): string => `bento-reader-${writer}`;

/** Undefined: a tombstone, or nothing of ours. */
function parsed(body: Uint8Array): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  } catch {
    return undefined;
  }
}
