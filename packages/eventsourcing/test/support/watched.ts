// Stores with somebody who looks at each call before it is made, and may throw.
import type { EventStore, Position, ReadModel, ReadModelStore, StreamId } from '@bento-bus/core';

export interface ReadModelCall {
  readonly call: 'ensure' | 'write' | 'clear' | 'get' | 'find';
  readonly model: string;
  readonly rows: readonly object[];
}

export function watchedReadModels(
  inner: ReadModelStore,
  before: (call: ReadModelCall) => void | Promise<void>,
): ReadModelStore {
  const look = async (call: ReadModelCall['call'], model: ReadModel, rows: readonly object[] = []): Promise<void> => {
    await before({ call, model: model.name, rows });
  };
  return {
    ensure: (models) => inner.ensure(models),
    async write(model, rows) {
      await look('write', model, rows);
      await inner.write(model, rows);
    },
    async clear(model) {
      await look('clear', model);
      await inner.clear(model);
    },
    async get(model, keys) {
      await look('get', model, keys);
      return inner.get(model, keys);
    },
    async find(model, options) {
      await look('find', model);
      return inner.find(model, options);
    },
    totals: (model, options) => inner.totals(model, options),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
}

export interface StoreReads {
  readonly streams: StreamId[];
  /** Positions of all events that readers of the whole log were given. */
  readonly events: Position[];
}

export function watchedStore(inner: EventStore): { readonly store: EventStore; readonly reads: StoreReads } {
  const reads: StoreReads = { streams: [], events: [] };
  const store: EventStore = {
    identity: inner.identity,
    head: () => inner.head(),
    saveEvents: (stream, events, version) => inner.saveEvents(stream, events, version),
    getEvents(stream, from) {
      reads.streams.push(stream);
      return inner.getEvents(stream, from);
    },
    async *readAll(after, options) {
      for await (const event of inner.readAll(after, options)) {
        reads.events.push(event.position);
        yield event;
      }
    },
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
  return { store, reads };
}
