import { setImmediate } from 'node:timers/promises';
import { BentoError, ConcurrencyError, type StoredEvent, type StreamId } from '@bento-bus/core';
import {
  type Break,
  changedNumbers,
  eachNew,
  eachStored,
  eachStream,
  filtered,
  idsOf,
  long,
  mapped,
  nestedKeys,
  onConflict,
  short,
  shortened,
} from './ways.ts';

const never = (): Promise<never> => new Promise(() => {});

/** Event stores broken on purpose, by what they do. */
export const brokenStores: Readonly<Record<string, Break>> = {
  // ---- appending
  'appends at whatever version the stream has': onConflict((s, { actualVersion }, stream, events) =>
    s.saveEvents(stream, events, actualVersion),
  ),
  'takes a conflict for a retry': onConflict((s) => s.head()),
  'takes the first id for the whole retry': onConflict(async (s, error, stream, events, expectedVersion) => {
    for await (const { id, position } of s.getEvents(stream, expectedVersion + 1)) {
      if (id === events[0]?.id) return position;
      break;
    }
    throw error;
  }),
  'takes ids at any version for a retry': onConflict(async (s, error, stream, events) => {
    const ids = await idsOf(s.getEvents(stream));
    if (events.every(({ id }) => ids.includes(id))) return s.head();
    throw error;
  }),
  'takes a retry for a conflict': (s) => {
    const versions = new Map<string, number>();
    return {
      saveEvents: async (stream, events, expectedVersion) => {
        const version = versions.get(stream.id) ?? 0;
        if (events.length > 0 && expectedVersion >= 0 && version > expectedVersion)
          throw new ConcurrencyError(stream, expectedVersion, version);
        const position = await s.saveEvents(stream, events, expectedVersion);
        versions.set(stream.id, expectedVersion + events.length);
        return position;
      },
    };
  },
  'looks at the version first and appends later': (s) => ({
    saveEvents: async (stream, events, expectedVersion) => {
      const ids = stream.id === '' || expectedVersion < 0 ? [] : await idsOf(s.getEvents(stream));
      if (ids.length !== expectedVersion) return s.saveEvents(stream, events, expectedVersion);
      await setImmediate();
      const later = await idsOf(s.getEvents(stream));
      return s.saveEvents(stream, events, later.length);
    },
  }),
  'appends the events of a call one by one': (s) => ({
    saveEvents: async (stream, events, expectedVersion) => {
      let position = events.length === 0 ? await s.saveEvents(stream, events, expectedVersion) : '';
      for (const [index, event] of events.entries()) {
        position = await s.saveEvents(stream, [event], expectedVersion + index);
        await setImmediate();
      }
      return position;
    },
  }),
  'copies events only when it appends them': (s) => ({
    saveEvents: async (...append) => {
      await setImmediate();
      return s.saveEvents(...append);
    },
  }),
  'counts versions anew in each append': (s) => {
    const counts = new Map<string, number>();
    return {
      ...eachStored((event) => ({ ...event, streamVersion: counts.get(event.id) ?? event.streamVersion }))(s),
      saveEvents: (stream, events, version) => {
        for (const [index, { id }] of events.entries()) counts.set(id, index + 1);
        return s.saveEvents(stream, events, version);
      },
    };
  },
  'takes an append without events': (s) => ({
    saveEvents: (stream, events, version) => (events.length === 0 ? s.head() : s.saveEvents(stream, events, version)),
  }),
  'takes data that JSON changes': eachNew((event) => ({
    ...event,
    data: event.data instanceof Date ? event.data : (JSON.parse(JSON.stringify(event.data ?? null)) as unknown),
  })),
  'tells the position of the first event': (s) => ({
    saveEvents: async (stream, events, version) => {
      const last = await s.saveEvents(stream, events, version);
      for await (const { position } of s.getEvents(stream, version + 1)) return position;
      return last;
    },
  }),
  'names no version in a conflict': onConflict((_, __, stream, ___, expectedVersion) => {
    throw new ConcurrencyError(stream, expectedVersion, expectedVersion);
  }),
  'takes a conflict for final': onConflict((_, { message }) => {
    throw new BentoError('CONCURRENCY', message, false);
  }),
  'throws conflicts of its own kind': onConflict((_, { message }) => {
    throw new Error(message);
  }),

  // ---- streams
  'makes no difference of case': eachStream(({ type, id }) => ({ type, id: id.toLowerCase() })),
  'trims names': eachStream(({ type, id }) => ({ type, id: id.trim() })),
  'puts a slash between type and id': eachStream(({ type, id }) => {
    const [first = '', ...rest] = type.split('/');
    return { type: first, id: id === '' ? '' : [...rest, id].join('/') };
  }),
  'reads streams from the first event always': (s) => ({ getEvents: (stream) => s.getEvents(stream) }),
  'reads streams after a version, not from it on': (s) => ({
    getEvents: (stream, from = 0) => s.getEvents(stream, from + 1),
  }),
  'reads at most 1,000 events of a stream': (s) => ({
    getEvents: async function* (stream, from = 1) {
      for await (const event of s.getEvents(stream, from)) if (event.streamVersion < from + 1_000) yield event;
    },
  }),

  'answers loads made together with one of them': (s) => {
    let shared: StreamId | undefined;
    return {
      getEvents: async function* (stream, from) {
        shared ??= stream;
        const one = shared;
        await setImmediate();
        shared = undefined;
        yield* s.getEvents(one, from);
      },
    };
  },
  'frees no connection of a reader that stops early': (s) => {
    let leaks = 0;
    const leaking = async function* (events: AsyncIterable<StoredEvent>): AsyncGenerator<StoredEvent> {
      if (leaks === 8) await never();
      let ended = false;
      try {
        yield* events;
        ended = true;
      } finally {
        if (!ended) leaks += 1;
      }
    };
    return {
      getEvents: (stream, from) => leaking(s.getEvents(stream, from)),
      readAll: (after, options) => leaking(s.readAll(after, options)),
    };
  },

  // ---- the log
  'reads the log from the first event always': (s) => ({ readAll: (_, options) => s.readAll('', options) }),
  'reads the log from a position on, not after it': (s) => ({
    readAll: (after, options) => s.readAll(after === '' ? '' : String(Number(after) - 1).padStart(16, '0'), options),
  }),
  'ignores the limit': (s) => ({
    readAll: (after, options = {}) => s.readAll(after, options.signal === undefined ? {} : { signal: options.signal }),
  }),
  'ignores the signal': (s) => ({
    readAll: (after, { limit } = {}) => s.readAll(after, limit === undefined ? {} : { limit }),
  }),
  'reads the log backwards': (s) => ({
    readAll: async function* (after, options) {
      const events: StoredEvent[] = [];
      for await (const event of s.readAll(after, options)) events.unshift(event);
      yield* events;
    },
  }),
  'shows some events later than those after them': (s) => {
    const since = new Map<string, number>();
    return filtered(({ position }) => {
      if (!position.endsWith('7')) return true;
      const first = since.get(position) ?? performance.now();
      since.set(position, first);
      return performance.now() - first > 5;
    })(s);
  },
  'gives positions of any width': (s) => {
    return {
      head: async () => short(await s.head()),
      saveEvents: async (...append) => short(await s.saveEvents(...append)),
      getEvents: (stream, from) => mapped(s.getEvents(stream, from), shortened),
      readAll: (after, options) => mapped(s.readAll(long(after), options), shortened),
    };
  },
  'gives the events of one append one position': (s) => ({
    readAll: (after, options) => {
      let last: StoredEvent | undefined;
      return mapped(s.readAll(after, options), (event) => {
        const together = last?.stream.id === event.stream.id && last.streamVersion + 1 === event.streamVersion;
        last = together && last !== undefined ? { ...event, position: last.position } : event;
        return last;
      });
    },
  }),
  'knows no head': () => ({ head: async () => '' }),

  // ---- what comes back
  'loses metadata': eachNew(({ id, type, version, data, time }) => ({ id, type, version, data, time })),
  'loses empty metadata values': eachNew((event) => ({
    ...event,
    ...(event.metadata && {
      metadata: Object.fromEntries(Object.entries(event.metadata).filter(([, value]) => value !== '')),
    }),
  })),
  'rounds times to seconds': eachNew((event) => ({ ...event, time: Math.floor(event.time / 1_000) * 1_000 })),
  'makes null an object': eachStored((event) => ({ ...event, data: event.data ?? {} })),
  'makes dots in keys levels': eachStored((event) => ({ ...event, data: nestedKeys(event.data) })),
  'loses large numbers': eachStored((event) => ({ ...event, data: changedNumbers(event.data) })),
  'takes the schema version for 1': eachStored((event) => ({ ...event, eventVersion: 1 })),
  'normalizes Unicode': eachStored((event) => ({
    ...event,
    data: JSON.parse(JSON.stringify(event.data).normalize('NFC')) as unknown,
  })),

  // ---- life
  'has no identity': () => ({ identity: '' }),
  'never closes': () => ({ close: never }),
  'does not close': () => {
    const closed = Promise.resolve();
    return { close: () => closed };
  },
  'closes with another promise each time': (s) => ({ close: async () => s.close() }),
  'never settles appends that a close meets': (s) => {
    let closed = false;
    return {
      saveEvents: async (...append) => {
        const position = await s.saveEvents(...append);
        await setImmediate();
        return closed ? never() : position;
      },
      close: () => {
        closed = true;
        return s.close();
      },
    };
  },
};
