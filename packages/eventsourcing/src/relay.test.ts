import {
  BentoError,
  type CheckpointedItem,
  defineEvents,
  type EventStore,
  type Message,
  type NewEvent,
  type StoredEvent,
  type Transport,
} from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { eventually, jsonCodec, LogBackend, LogTransport } from '../test/support/log-backend.ts';
import { orderEvents } from '../test/support/orders.ts';
import { createInMemoryEventStore } from './in-memory-event-store.ts';
import { createRelay } from './relay.ts';
import type { Relay, RelayOptions, RelayProgress } from './relay-options.ts';

const fast = { pollMs: 5, backoff: () => 1 };
const relayOf = (store: EventStore, transport: Transport, options: Partial<RelayOptions> = {}): Relay =>
  createRelay({
    store,
    transport,
    catalogues: [orderEvents],
    codec: jsonCodec,
    source: '/orders',
    ...fast,
    ...options,
  });
const noted = (id: string): NewEvent => ({ id, type: 'order.noted', version: 1, data: { text: id }, time: 5 });
const appender = (store: EventStore): ((count: number) => Promise<string[]>) => {
  let version = 0;
  return async (count) => {
    const ids = Array.from({ length: count }, (_, index) => `e-${version + index + 1}`);
    await store.saveEvents(
      { type: 'order', id: 'o-1' },
      ids.map((id) => noted(id)),
      version,
    );
    version += count;
    return ids;
  };
};
const idsOf = (messages: readonly Message[]): string[] => messages.map(({ id }) => id);
const text = (body: Uint8Array | null): unknown => JSON.parse(new TextDecoder().decode(body ?? undefined));
const failingTimes = (times: number, error: () => unknown): (() => void) => {
  let left = times;
  return () => {
    if (left-- > 0) throw error();
  };
};
const nothing = (): void => {};
const nothingAsync = async (): Promise<void> => {};
const connection = (): BentoError => new BentoError('CONNECTION', 'the broker is away', true);

describe('the relay', () => {
  it('publishes what is stored, with the place of the event, the stored version and who caused it', async () => {
    const store = createInMemoryEventStore();
    const data = { orderId: 'o-1', lines: [] };
    const metadata = { correlationId: 'c', causationId: 'm', traceparent: '00-1', secret: 'stays' };
    const stored: NewEvent = { id: 'e-1', type: 'order.placed', version: 1, data, metadata, time: 42 };
    await store.saveEvents({ type: 'order', id: 'stream-1' }, [stored, noted('e-2')], 0);
    const transport = new LogTransport();
    await using relay = relayOf(store, transport);
    await relay.start();
    await eventually(() => expect(transport.backend.messages).toHaveLength(2));
    const [placed, note] = transport.backend.topics.get('orders') ?? [];
    const positions: string[] = [];
    for await (const { position } of store.readAll('')) positions.push(position);
    expect(placed).toMatchObject({
      id: 'e-1',
      type: 'order.placed',
      source: '/orders',
      time: 42,
      // From the upcast data, while the body stays as it was stored.
      key: 'o-1',
      headers: {
        'content-type': 'application/json',
        ce_eventversion: '1',
        ce_position: positions[0],
        ce_streamtype: 'order',
        ce_streamid: 'stream-1',
        ce_streamversion: '1',
        ce_correlationid: 'c',
        ce_causationid: 'm',
        traceparent: '00-1',
      },
    });
    expect(Object.keys(placed?.headers ?? {})).toHaveLength(10);
    expect(text(placed?.body ?? null)).toEqual(data);
    // Without a key in its definition: the stream's id.
    expect(note).toMatchObject({ key: 'stream-1', headers: { ce_streamversion: '2' } });
    expect(Object.keys(note?.headers ?? {})).toHaveLength(7);
    expect(note?.headers).toMatchObject({ ce_log: store.identity });
  });

  it('passes over types that no catalogue has, and internal ones, and moves its checkpoint over them', async () => {
    const store = createInMemoryEventStore();
    const internal = defineEvents({ topic: 'orders' }, { $parked: { version: 1, schema: z.unknown() } });
    const other = (id: string, type: string): NewEvent => ({ ...noted(id), type });
    await store.saveEvents({ type: '$parking', id: 'p' }, [noted('a')], 0);
    await store.saveEvents({ type: 'order', id: 'o' }, [other('b', '$parked'), noted('c'), other('d', 'unknown')], 0);
    const transport = new LogTransport();
    const progress: RelayProgress[] = [];
    await using relay = relayOf(store, transport, {
      catalogues: [orderEvents, internal],
      onProgress: (now) => progress.push(now),
    });
    await relay.start();
    await eventually(async () => expect(relay.position).toBe(await store.head()));
    expect(idsOf(transport.backend.messages)).toEqual(['c']);
    expect(transport.backend.logs.get(store.identity)?.checkpoint).toBe(await store.head());
    expect(progress.at(-1)).toEqual({ position: await store.head(), published: 1, passedOver: 3 });
  });

  it('publishes each event once, in order, over restarts and in pages', async () => {
    const store = createInMemoryEventStore();
    const append = appender(store);
    const backend = new LogBackend();
    const all: string[] = [];
    for (const count of [1, 7, 0, 25]) {
      if (count > 0) all.push(...(await append(count)));
      const relay = relayOf(store, new LogTransport(backend), { batchSize: 3 });
      await relay.start();
      await eventually(async () => expect(relay.position).toBe(await store.head()));
      await relay.close();
      await expect(relay.closed).resolves.toBeUndefined();
    }
    expect(idsOf(backend.messages)).toEqual(all);
  });

  it('is woken by a commit long before it polls, also by one that comes while it works', async () => {
    const store = createInMemoryEventStore();
    const append = appender(store);
    let publishing = nothingAsync;
    const transport = new LogTransport(new LogBackend(), { beforeStore: () => publishing() });
    await using relay = relayOf(store, transport, { pollMs: 60_000 });
    await relay.start();
    await append(1);
    relay.wake();
    await eventually(() => expect(transport.backend.messages).toHaveLength(1));
    publishing = async () => {
      publishing = nothingAsync;
      await append(1);
      relay.wake();
    };
    await append(1);
    relay.wake();
    await eventually(() => expect(transport.backend.messages).toHaveLength(3));
  });

  it('finds what other processes commit by polling', async () => {
    const store = createInMemoryEventStore();
    const transport = new LogTransport();
    await using relay = relayOf(store, transport);
    await relay.start();
    await appender(store)(4);
    await eventually(() => expect(transport.backend.messages).toHaveLength(4));
  });

  it('hands the head of the log to the backend when it opens', async () => {
    const store = createInMemoryEventStore();
    await appender(store)(2);
    const transport = new LogTransport();
    await using relay = relayOf(store, transport);
    await relay.start();
    expect(transport.backend.heads).toEqual([await store.head()]);
  });

  it('refuses a transport that cannot publish a log', async () => {
    const inner = new LogTransport();
    const plain: Transport = {
      name: inner.name,
      capabilities: inner.capabilities,
      publish: (topic, messages) => inner.publish(topic, messages),
      subscribe: () => inner.subscribe(),
      subscribeBatch: (topics, handler, options) => inner.subscribeBatch(topics, handler, options),
      close: () => inner.close(),
      [Symbol.asyncDispose]: () => inner.close(),
    };
    const relay = relayOf(createInMemoryEventStore(), plain);
    await expect(relay.start()).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('log-backend'),
    });
    await relay.close();
  });

  it('names every fault of its options', () => {
    const store = createInMemoryEventStore();
    const wrong = { batchSize: 0, pollMs: 0, drainMs: -1, source: '' };
    expect(() => relayOf(store, new LogTransport(), wrong)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringMatching(/batchSize.*pollMs.*drainMs.*source/),
      }),
    );
    const twin = defineEvents({ topic: 'other' }, { 'order.noted': { version: 1, schema: z.unknown() } });
    expect(() => relayOf(store, new LogTransport(), { catalogues: [orderEvents, twin] })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining('order.noted') }),
    );
    expect(() => relayOf(store, new LogTransport(), { catalogues: [orderEvents, orderEvents] })).not.toThrow();
  });

  it('rejects start where the backend is away, and starts when it is back', async () => {
    const store = createInMemoryEventStore();
    const transport = new LogTransport(new LogBackend(), { onOpen: failingTimes(1, connection) });
    await using relay = relayOf(store, transport);
    await expect(relay.start()).rejects.toMatchObject({ code: 'CONNECTION' });
    await relay.start();
    await relay.start();
    await appender(store)(1);
    await eventually(() => expect(transport.backend.messages).toHaveLength(1));
    expect(transport.backend.logs.get(store.identity)?.epoch).toBe(1);
  });

  it('goes on from its checkpoint after faults that pass, whether or not the messages were stored', async () => {
    for (const when of ['beforeStore', 'afterStore'] as const) {
      for (const fails of [1, 2, 7]) {
        const store = createInMemoryEventStore();
        const ids = await appender(store)(5);
        const transport = new LogTransport(new LogBackend(), { [when]: failingTimes(fails, connection) });
        await using relay = relayOf(store, transport, { batchSize: 2 });
        await relay.start();
        await eventually(async () => expect(relay.position).toBe(await store.head()));
        expect(idsOf(transport.backend.messages)).toEqual(ids);
        // One publisher is tried a few times before the log is opened again.
        const { epoch = 0 } = transport.backend.logs.get(store.identity) ?? {};
        expect(epoch > 1).toBe(fails >= 3);
      }
    }
  });

  it('opens the log again at once where the backend has closed the publisher', async () => {
    const store = createInMemoryEventStore();
    const ids = await appender(store)(3);
    const fault = failingTimes(1, () => new BentoError('CLOSED', 'the producer is gone'));
    const transport = new LogTransport(new LogBackend(), { beforeStore: fault });
    await using relay = relayOf(store, transport);
    await relay.start();
    await eventually(() => expect(idsOf(transport.backend.messages)).toEqual(ids));
    expect(transport.backend.logs.get(store.identity)?.epoch).toBe(2);
  });

  it('waits for a store that is away', async () => {
    const inner = createInMemoryEventStore();
    const away = failingTimes(4, connection);
    const store: EventStore = {
      identity: inner.identity,
      head: () => inner.head(),
      saveEvents: (stream, events, version) => inner.saveEvents(stream, events, version),
      getEvents: (stream) => inner.getEvents(stream),
      async *readAll(after, options) {
        away();
        yield* inner.readAll(after, options);
      },
      close: () => inner.close(),
      [Symbol.asyncDispose]: () => inner.close(),
    };
    await appender(store)(1);
    const transport = new LogTransport();
    await using relay = relayOf(store, transport);
    await relay.start();
    await eventually(() => expect(transport.backend.messages).toHaveLength(1));
  });

  it('stands by while another process publishes, and goes on when that one is gone', async () => {
    const store = createInMemoryEventStore();
    const append = appender(store);
    const backend = new LogBackend();
    const first = relayOf(store, new LogTransport(backend));
    await first.start();
    await using second = relayOf(store, new LogTransport(backend));
    await using third = relayOf(store, new LogTransport(backend));
    await second.start();
    await third.start();
    const ids = await append(3);
    await eventually(() => expect(first.position).toBe('00000003'.padStart(first.position.length, '0')));
    expect([second.position, third.position, backend.publishers]).toEqual(['', '', 1]);
    await first.close();
    ids.push(...(await append(3)));
    await eventually(() => expect(idsOf(backend.messages)).toEqual(ids));
    expect(backend.publishers).toBe(1);
    // Closing one that only stands by has nothing to wait for.
    await (second.position === '' ? second : third).close();
    expect(backend.publishers).toBe(1);
  });

  it('stands by after somebody has taken the log from it', async () => {
    const store = createInMemoryEventStore();
    const append = appender(store);
    const backend = new LogBackend();
    await using first = relayOf(store, new LogTransport(backend));
    await first.start();
    const ids = await append(1);
    await eventually(() => expect(backend.messages).toHaveLength(1));
    const second = relayOf(store, new LogTransport(backend), { standby: false });
    await second.start();
    ids.push(...(await append(2)));
    await eventually(() => expect(backend.publishers).toBe(1));
    await eventually(() => expect(idsOf(backend.messages)).toEqual(ids));
    await second.close();
    ids.push(...(await append(2)));
    await eventually(() => expect(idsOf(backend.messages)).toEqual(ids));
  });

  it('stops when another process has taken the log over, and both together publish each event once', async () => {
    const store = createInMemoryEventStore();
    const append = appender(store);
    const backend = new LogBackend();
    const first = relayOf(store, new LogTransport(backend), { standby: false });
    await first.start();
    const ids = await append(3);
    await eventually(() => expect(backend.messages).toHaveLength(3));
    await using second = relayOf(store, new LogTransport(backend), { standby: false });
    await second.start();
    ids.push(...(await append(3)));
    await expect(first.closed).rejects.toMatchObject({ code: 'FENCED' });
    await eventually(() => expect(idsOf(backend.messages)).toEqual(ids));
    await first.close();
    await expect(first.closed).rejects.toMatchObject({ code: 'FENCED' });
  });

  it('stops at an event that the codec refuses and names it; nothing before or after it is lost', async () => {
    const store = createInMemoryEventStore();
    const ids = await appender(store)(5);
    const backend = new LogBackend();
    const codec = {
      ...jsonCodec,
      encode: (value: unknown) => {
        if ((value as { text: string }).text === 'e-4') throw new Error('no such schema');
        return jsonCodec.encode(value, { topic: '', type: '', version: 1, headers: {} });
      },
    };
    const broken = relayOf(store, new LogTransport(backend), { codec, batchSize: 2 });
    await broken.start();
    await expect(broken.closed).rejects.toMatchObject({
      code: 'CODEC',
      message: expect.stringMatching(/"order\.noted" of "order\/o-1" at "0+4".*no such schema/),
    });
    expect(idsOf(backend.messages)).toEqual(['e-1', 'e-2']);
    await using mended = relayOf(store, new LogTransport(backend));
    await mended.start();
    await eventually(() => expect(idsOf(backend.messages)).toEqual(ids));
  });

  it('publishes an event that its own definition refuses, under the stream id, and says so', async () => {
    const store = createInMemoryEventStore();
    const odd: NewEvent = { ...noted('e-1'), type: 'order.shipped', data: { orderId: 7 } };
    await store.saveEvents({ type: 'order', id: 'o-9' }, [odd, { ...odd, id: 'e-2', version: 9 }], 0);
    const transport = new LogTransport();
    const logged: string[] = [];
    await using relay = relayOf(store, transport, {
      logger: { debug: nothing, info: nothing, warn: nothing, error: (message) => logged.push(message) },
    });
    await relay.start();
    await eventually(() => expect(transport.backend.messages).toHaveLength(2));
    expect(transport.backend.messages.map(({ key }) => key)).toEqual(['o-9', 'o-9']);
    expect(logged).toEqual([expect.stringContaining('order.shipped'), expect.stringContaining('order.shipped')]);
  });

  it('finishes the batch at hand when it is closed, and nothing after it', async () => {
    const store = createInMemoryEventStore();
    await appender(store)(6);
    let release = nothing;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const entered: (readonly CheckpointedItem[])[] = [];
    const transport = new LogTransport(new LogBackend(), {
      beforeStore: async (items) => {
        entered.push(items);
        await held;
      },
    });
    const relay = relayOf(store, transport, { batchSize: 2 });
    await relay.start();
    await eventually(() => expect(entered).toHaveLength(1));
    const closing = relay.close();
    expect(relay.close()).toBe(closing);
    release();
    await closing;
    expect(idsOf(transport.backend.messages)).toEqual(['e-1', 'e-2']);
    await expect(relay.start()).resolves.toBeUndefined();
    await expect(relay.closed).resolves.toBeUndefined();
  });

  it('gives up a batch that does not finish within the deadline; the next start publishes it', async () => {
    const store = createInMemoryEventStore();
    const ids = await appender(store)(2);
    const backend = new LogBackend();
    const never = new Promise<void>(() => {});
    const stuck = relayOf(store, new LogTransport(backend, { beforeStore: () => never }), { drainMs: 20 });
    await stuck.start();
    await stuck.close();
    expect(backend.messages).toEqual([]);
    await using relay = relayOf(store, new LogTransport(backend));
    await relay.start();
    await eventually(() => expect(idsOf(backend.messages)).toEqual(ids));
  });

  it('leaves no publisher open when it is closed while it opens, also past the deadline', async () => {
    for (const drainMs of [1_000, 10]) {
      let open = nothing;
      const opening = new Promise<void>((resolve) => {
        open = resolve;
      });
      let entered = 0;
      const transport = new LogTransport(new LogBackend(), {
        onOpen: () => {
          entered += 1;
          return opening;
        },
      });
      const relay = relayOf(createInMemoryEventStore(), transport, { drainMs });
      const starting = relay.start();
      await eventually(() => expect(entered).toBe(1));
      const closing = relay.close();
      if (drainMs < 100) await closing;
      open();
      await expect(starting).rejects.toMatchObject({ code: 'CLOSED' });
      await closing;
      expect(transport.backend.publishers).toBe(0);
    }
  });

  it('can be closed before it starts, and then does not start', async () => {
    const relay = relayOf(createInMemoryEventStore(), new LogTransport());
    await relay.close();
    await expect(relay.closed).resolves.toBeUndefined();
    await expect(relay.start()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('closes at once while it waits after a fault', async () => {
    const store = createInMemoryEventStore();
    await appender(store)(1);
    let tries = 0;
    const transport = new LogTransport(new LogBackend(), {
      beforeStore: () => {
        tries += 1;
        throw connection();
      },
    });
    const relay = relayOf(store, transport, { backoff: () => 60_000 });
    await relay.start();
    await eventually(() => expect(tries).toBe(1));
    await relay.close();
    await expect(relay.closed).resolves.toBeUndefined();
  });

  it('is not stopped by its progress callback', async () => {
    const store = createInMemoryEventStore();
    await appender(store)(4);
    const transport = new LogTransport();
    await using relay = relayOf(store, transport, {
      batchSize: 1,
      onProgress: () => {
        throw new Error('no terminal');
      },
    });
    await relay.start();
    await eventually(() => expect(transport.backend.messages).toHaveLength(4));
  });

  it('holds at most one page ahead of the one it publishes', async () => {
    const inner = createInMemoryEventStore();
    await appender(inner)(20);
    let read = 0;
    let published = 0;
    let ahead = 0;
    const store: EventStore = {
      identity: inner.identity,
      head: () => inner.head(),
      saveEvents: (stream, events, version) => inner.saveEvents(stream, events, version),
      getEvents: (stream) => inner.getEvents(stream),
      async *readAll(after, options): AsyncGenerator<StoredEvent> {
        for await (const event of inner.readAll(after, options)) {
          read += 1;
          yield event;
        }
      },
      close: () => inner.close(),
      [Symbol.asyncDispose]: () => inner.close(),
    };
    const transport = new LogTransport(new LogBackend(), {
      beforeStore: async (items) => {
        await new Promise((resolve) => setImmediate(resolve));
        ahead = Math.max(ahead, read - published);
        published += items.length;
      },
    });
    await using relay = relayOf(store, transport, { batchSize: 2 });
    await relay.start();
    await eventually(() => expect(transport.backend.messages).toHaveLength(20));
    expect(ahead).toBeLessThanOrEqual(4);
  });
});
