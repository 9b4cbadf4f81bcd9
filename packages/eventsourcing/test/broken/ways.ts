import {
  BentoError,
  type ConcurrencyError,
  type EventStore,
  isBentoError,
  type NewEvent,
  type Position,
  type StoredEvent,
  type StreamId,
} from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';

/** Breaks one promise of a store that keeps them all: what to put in place of its members. */
export type Break = (store: EventStore) => Partial<EventStore>;

/** A store of its own on the log of another, which it does not close. */
export function storeOn(log: EventStore): EventStore {
  let closed = false;
  const open = (): EventStore => {
    if (closed) throw new BentoError('CLOSED', 'test: cannot use the store: it is closed. Make a new one.');
    return log;
  };
  return {
    identity: log.identity,
    head: async () => open().head(),
    saveEvents: async (stream, events, expectedVersion) => open().saveEvents(stream, events, expectedVersion),
    getEvents: (stream, fromVersion) => open().getEvents(stream, fromVersion),
    readAll: (after, options) => open().readAll(after, options),
    ...closeOnce(() => {
      closed = true;
    }),
  };
}

export async function* mapped<T>(items: AsyncIterable<T>, change: (item: T) => T): AsyncGenerator<T> {
  for await (const item of items) yield change(item);
}

/** All events, as they are read. */
export const eachStored =
  (change: (event: StoredEvent) => StoredEvent): Break =>
  (s) => ({
    getEvents: (stream, fromVersion) => mapped(s.getEvents(stream, fromVersion), change),
    readAll: (after, options) => mapped(s.readAll(after, options), change),
  });

/** All events, as they are appended. */
export const eachNew =
  (change: (event: NewEvent) => NewEvent): Break =>
  (s) => ({ saveEvents: (stream, events, version) => s.saveEvents(stream, events.map(change), version) });

/** Puts another stream in place of the one named. */
export const eachStream =
  (change: (stream: StreamId) => StreamId): Break =>
  (s) => ({
    saveEvents: (stream, events, version) => s.saveEvents(change(stream), events, version),
    getEvents: (stream, fromVersion) =>
      mapped(s.getEvents(change(stream), fromVersion), (event) => ({ ...event, stream })),
  });

export async function idsOf(items: AsyncIterable<StoredEvent>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of items) ids.push(id);
  return ids;
}

/** What to do instead when an append meets another version than expected. */
export const onConflict =
  (
    instead: (
      store: EventStore,
      error: ConcurrencyError,
      ...append: Parameters<EventStore['saveEvents']>
    ) => Position | Promise<Position>,
  ): Break =>
  (s) => ({
    saveEvents: async (...append) => {
      try {
        return await s.saveEvents(...append);
      } catch (error) {
        if (!isBentoError(error, 'CONCURRENCY')) throw error;
        return instead(s, error as ConcurrencyError, ...append);
      }
    },
  });

/** The events that `show` says, at the time of reading. */
export const filtered =
  (show: (event: StoredEvent) => boolean): Break =>
  (s) => ({
    readAll: async function* (after, options) {
      for await (const event of s.readAll(after, options)) if (show(event)) yield event;
    },
  });

export const changedNumbers = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, one: unknown) => (one === 2 ** 53 ? 2 ** 53 - 1 : one)));

/** `{ "a.b": 1 }` becomes `{ a: { b: 1 } }`, as in ClickHouse's JSON type. */
export const nestedKeys = (data: unknown): unknown => {
  if (typeof data !== 'object' || data === null || !('a.b' in data)) return data;
  const { 'a.b': b, ...rest } = data;
  return { ...rest, a: { b } };
};

export const short = (position: Position): Position => (position === '' ? '' : String(Number(position)));
export const long = (position: Position): Position => (position === '' ? '' : position.padStart(16, '0'));

export const shortened = (event: StoredEvent): StoredEvent => ({ ...event, position: short(event.position) });
