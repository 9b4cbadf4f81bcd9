import {
  type Closeable,
  type EventStore,
  type NewEvent,
  type Position,
  type StoredEvent,
  type StreamId,
  silentLogger,
} from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { Batcher } from './batcher.ts';
import { closedError, invalid } from './errors.ts';
import { checkStream, encodeEvents } from './event-row.ts';
import { commitGroup, type Save } from './group-commit.ts';
import { Log } from './log.ts';
import { LogReader } from './log-reader.ts';
import { checkStoreOptions, type EventStoreOptions, sqlOf } from './options.ts';
import { ensureSchema } from './schema.ts';
import type { Sql } from './sql.ts';
import { StreamReader } from './stream-reader.ts';

type Construct = (sql: Sql, identity: string, options: Omit<EventStoreOptions, 'client'>) => ClickHouseEventStore;
let construct: Construct;

/**
 * An `EventStore` on ClickHouse: one optimistic log. Every group commit is one numbered batch, and a batch number can be stored
 * once (its deduplication token is made of it), so that exactly one of all writers in all processes gets it, having checked each
 * expected version against everything before. Positions are `(batch, idx)`: gapless, in commit order.
 *
 * A save resolves when its batch is on the server's disk under this writer's name: it survives SIGKILL of the writer and of the
 * embedded engine (not a power cut: ClickHouse does not fsync by default). A rejection with a retryable `CONNECTION` or `TIMEOUT`
 * error leaves open whether the events are stored: save the same events again.
 */
export class ClickHouseEventStore implements EventStore {
  readonly identity: string;
  readonly #log: Log;
  readonly #streams: StreamReader;
  readonly #all: LogReader;
  readonly #saves: Batcher<Save, Position>;
  readonly #closeable: Closeable = closeOnce(() => this.#close());
  #closed = false;

  static {
    construct = (sql, identity, options) => new ClickHouseEventStore(sql, identity, options);
  }

  private constructor(sql: Sql, identity: string, options: Omit<EventStoreOptions, 'client'>) {
    this.identity = identity;
    const { logger = silentLogger, headCacheSize = 20_000, maxBatchBytes = 4 * 1024 * 1024 } = options;
    this.#log = new Log({ sql, identity, headCacheSize, logger });
    this.#streams = new StreamReader(sql, this.#log.heads);
    this.#all = new LogReader(sql, (doing, signal) => this.#log.lastBatch(doing, signal));
    this.#saves = new Batcher({
      run: (calls) => commitGroup(this.#log, sql, calls),
      weigh: ({ size }) => size,
      maxWeight: maxBatchBytes,
    });
  }

  async head(): Promise<Position> {
    this.#assertOpen('read the head');
    return this.#all.head();
  }

  /**
   * As the port says. Throws besides: `VALIDATION` for data that JSON does not keep whole (bigint, Date, Map, bytes, NaN, …) and
   * metadata keys that begin with `$`, `OVERSIZE` above 100,000 events or 64 MiB a call.
   */
  async saveEvents(stream: StreamId, events: readonly NewEvent[], expectedVersion: number): Promise<Position> {
    this.#assertOpen(`save events of "${stream.type}/${stream.id}"`);
    const { rows, size } = encodeEvents(stream, events, expectedVersion);
    const { type, id } = stream;
    return this.#saves.call({
      stream: { type, id },
      expectedVersion,
      ids: events.map((event) => event.id),
      rows,
      size,
    });
  }

  async *getEvents(stream: StreamId, fromVersion = 1): AsyncGenerator<StoredEvent> {
    const doing = `load "${stream.type}/${stream.id}"`;
    this.#assertOpen(doing);
    checkStream(stream, doing);
    if (!Number.isSafeInteger(fromVersion))
      throw invalid(doing, [{ path: 'fromVersion', message: 'is not a whole number' }], 'Pass a version from 1.');
    yield* this.#streams.read({ type: stream.type, id: stream.id }, Math.max(1, fromVersion));
  }

  async *readAll(
    after: Position,
    options: { readonly limit?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<StoredEvent> {
    const { limit, signal } = options;
    const doing = 'read the log';
    this.#assertOpen(doing);
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0))
      throw invalid(doing, [{ path: 'limit', message: 'is not a whole number' }], 'Pass a number of events, or none.');
    yield* this.#all.read(after, limit ?? Number.POSITIVE_INFINITY, signal);
  }

  /** Waits for saves and loads that were asked for. Does not close the client. */
  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#saves.idle(), this.#streams.idle()]);
  }

  #assertOpen(doing: string): void {
    if (this.#closed) throw closedError(doing);
  }
}

/** An event store on a prepared database. */
export const eventStoreOn: Construct = (sql, identity, options) => construct(sql, identity, options);

/**
 * An event store on a client of yours, which stays open after `close`. Creates the database and the tables where they are missing.
 * Throws `CONFIGURATION` (options; a database whose tables are not ours, or of a newer version), `CONNECTION`, `AUTHENTICATION`,
 * `AUTHORIZATION`.
 */
export async function createClickHouseEventStore(options: EventStoreOptions): Promise<ClickHouseEventStore> {
  checkStoreOptions('open the event store', options);
  const sql = sqlOf(options);
  const { identity } = await ensureSchema(sql, options);
  return eventStoreOn(sql, identity, options);
}
