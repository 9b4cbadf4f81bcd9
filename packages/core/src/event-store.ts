import type { Position } from './checkpoint.ts';
import type { Closeable } from './message.ts';

/** One aggregate's history. Types that begin with `$` are internal: never published. */
export interface StreamId {
  readonly type: string;
  readonly id: string;
}

/** An event to append. `data` is what `JSON.stringify` keeps whole. `version` is the schema version; `time` is epoch milliseconds. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly time: number;
}

/** An event as stored. `streamVersion` counts from 1 without gaps; `eventVersion` is the schema version. */
export interface StoredEvent extends Omit<NewEvent, 'version'> {
  readonly stream: StreamId;
  readonly streamVersion: number;
  readonly eventVersion: number;
  readonly position: Position;
}

/** An append-only log of events in streams. */
export interface EventStore extends Closeable {
  /** Changes when the log is a new one: part of every checkpoint's name. */
  readonly identity: string;
  /** Position of the last event, `''` when there is none. */
  head(): Promise<Position>;
  /**
   * Appends all or nothing; resolves with the position of the last event once it survives a crash. One stream a call; exactly one of
   * two writers with one expected version wins, the other gets a `ConcurrencyError`. A retry of the same event ids at the same
   * version is a success and appends nothing. `expectedVersion` 0: the stream has no events yet.
   */
  saveEvents(stream: StreamId, events: readonly NewEvent[], expectedVersion: number): Promise<Position>;
  /** Events of one stream with `streamVersion >= fromVersion` (default 1), ascending. Calls made together share a query where the store can. */
  getEvents(stream: StreamId, fromVersion?: number): AsyncIterable<StoredEvent>;
  /** All events after a position in commit order, no gaps, at most `limit` (default: up to the head). */
  readAll(
    after: Position,
    options?: { readonly limit?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<StoredEvent>;
}
