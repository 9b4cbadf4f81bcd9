import { randomUUID } from 'node:crypto';
import {
  type Closeable,
  ConcurrencyError,
  type EventStore,
  type NewEvent,
  type Position,
  type StoredEvent,
  type StreamId,
} from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { exactJson } from './exact-json.ts';
import { fault } from './fault.ts';
import { streamKey, streamName } from './streams.ts';

/** Wide enough for every safe integer, so that string order is log order. */
const positionWidth = 16;

/** An event with its data as JSON text: what a reader gets shares nothing with what a writer holds. */
interface Entry {
  readonly event: Omit<StoredEvent, 'data'>;
  readonly data: string;
}

const stored = (entry: Entry): StoredEvent => ({ ...entry.event, data: JSON.parse(entry.data) });

/**
 * An {@link EventStore} in memory, for tests and for applications that need no history after the process.
 * Same semantics as the ClickHouse store: all or nothing, one winner a version, a retry of the same ids is a success, positions in
 * commit order without gaps; data goes through JSON. `identity` is random: each instance is a log of its own.
 */
class InMemoryEventStore implements EventStore {
  readonly identity: string = randomUUID();
  readonly #log: Entry[] = [];
  readonly #streams = new Map<string, Entry[]>();
  readonly #closeable: Closeable = closeOnce(() => {
    this.#closed = true;
  });
  #closed = false;

  async head(): Promise<Position> {
    this.#assertOpen('read the head');
    return this.#log.at(-1)?.event.position ?? '';
  }

  async saveEvents(stream: StreamId, events: readonly NewEvent[], expectedVersion: number): Promise<Position> {
    this.#assertOpen(`append to "${streamName(stream)}"`);
    checkAppend(stream, events, expectedVersion);
    // Everything that can fail comes before the first write: all or nothing.
    const data = events.map((event) => encode(stream, event));
    const entries = this.#streams.get(streamKey(stream)) ?? [];
    const last = entries[expectedVersion + events.length - 1];
    if (last && events.every(({ id }, index) => entries[expectedVersion + index]?.event.id === id)) {
      return last.event.position;
    }
    if (entries.length !== expectedVersion) throw new ConcurrencyError(stream, expectedVersion, entries.length);
    this.#streams.set(streamKey(stream), entries);
    for (const [index, { version, data: _, ...event }] of events.entries()) {
      const entry: Entry = {
        event: {
          ...event,
          stream: { type: stream.type, id: stream.id },
          streamVersion: expectedVersion + index + 1,
          eventVersion: version,
          position: String(this.#log.length + 1).padStart(positionWidth, '0'),
          ...(event.metadata && { metadata: { ...event.metadata } }),
        },
        data: data[index] as string,
      };
      entries.push(entry);
      this.#log.push(entry);
    }
    return this.#log.at(-1)?.event.position ?? '';
  }

  async *getEvents(stream: StreamId, fromVersion = 1): AsyncGenerator<StoredEvent> {
    this.#assertOpen(`read "${streamName(stream)}"`);
    const entries = this.#streams.get(streamKey(stream)) ?? [];
    const end = entries.length;
    for (let index = Math.max(0, fromVersion - 1); index < end; index++) yield stored(entries[index] as Entry);
  }

  async *readAll(
    after: Position,
    options: { readonly limit?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<StoredEvent> {
    this.#assertOpen('read the log');
    const start = after === '' ? 0 : Number(after);
    if (!Number.isSafeInteger(start) || (after !== '' && after.length !== positionWidth)) {
      throw fault('CONFIGURATION', `read the log after "${after}"`, 'this is no position of this store');
    }
    const end = Math.min(this.#log.length, start + (options.limit ?? Number.POSITIVE_INFINITY));
    for (let index = start; index < end; index++) {
      if (options.signal?.aborted) throw fault('ABORTED', 'read the log', 'the signal was aborted');
      yield stored(this.#log[index] as Entry);
    }
  }

  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(what: string): void {
    if (this.#closed) throw fault('CLOSED', what, 'the store is closed. Make a new one');
  }
}

function checkAppend(stream: StreamId, events: readonly NewEvent[], expectedVersion: number): void {
  const refuse = (cause: string): never => {
    throw fault('VALIDATION', `append to "${streamName(stream)}"`, cause);
  };
  if (stream.type === '' || stream.id === '') refuse('a stream needs a type and an id');
  if (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0) {
    refuse(`the expected version ${expectedVersion} is no whole number from 0`);
  }
  if (events.length === 0) refuse('there is no event. Append at least one');
  if (new Set(events.map(({ id }) => id)).size < events.length) refuse('two events have one id');
  for (const event of events) {
    if (Object.keys(event.metadata ?? {}).some((key) => key.startsWith('$'))) {
      refuse(`event "${event.id}" has metadata whose name begins with $, which is reserved`);
    }
    if (event.id === '' || event.type === '') refuse('an event needs an id and a type');
    if (!Number.isSafeInteger(event.version) || event.version < 1) {
      refuse(`event "${event.id}" has the version ${event.version}. Versions are whole numbers from 1`);
    }
    if (!Number.isSafeInteger(event.time)) refuse(`event "${event.id}" has no time in whole epoch milliseconds`);
  }
}

function encode(stream: StreamId, event: NewEvent): string {
  const json = exactJson(event.data);
  if ('text' in json) return json.text;
  const what = `append event "${event.id}" to "${streamName(stream)}"`;
  throw fault('VALIDATION', what, `JSON does not keep its ${json.inexactAt} whole. Use values that JSON keeps`);
}

/** A new, empty event store in memory; see the package's README for what it promises. */
export function createInMemoryEventStore(): EventStore {
  return new InMemoryEventStore();
}
