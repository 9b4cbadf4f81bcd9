import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { orderEvents } from '../test/catalogue.ts';
import { message } from '../test/deliveries.ts';
import { json } from '../test/json.ts';
import { createTinyTransport } from '../test/tiny-transport.ts';
import { deferred } from './adapter/index.ts';
import {
  BentoError,
  type Codec,
  createMessageBus,
  defineEvents,
  type EventContext,
  headerNames,
  type LogFields,
  type Message,
  type MessageBus,
  type MessageBusOptions,
  type Middleware,
  type Subscription,
  silentLogger,
  type Transport,
} from './index.ts';

const placed = orderEvents['order.placed'];
const shipped = orderEvents['order.shipped'];
const noSleep = { maxHoldMs: 0 };

/** A bus on the tiny transport, and what it published. */
function rig(options: Partial<MessageBusOptions> = {}) {
  const published: { readonly topic: string; readonly message: Message }[] = [];
  const tiny = createTinyTransport();
  const transport: Transport = {
    ...tiny,
    publish: async (topic, messages) => {
      for (const one of messages) published.push({ topic, message: one });
      await tiny.publish(topic, messages);
    },
  };
  let ids = 0;
  const newId = (): string => `id-${(ids += 1)}`;
  const bus = createMessageBus({ transport, codec: json, source: 'shop', now: () => 1_234, newId, ...options });
  return { bus, transport, published };
}

/** Waits until `seen` has `count` entries; the test's own timeout is the deadline. */
async function until(seen: readonly unknown[], count: number): Promise<void> {
  while (seen.length < count) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

const body = (text: string): Uint8Array => new TextEncoder().encode(text);

const nothing = async (): Promise<void> => {};

/** A transport whose subscriptions end as `closed` does. */
function endingWith(closed: Promise<void>): Transport {
  const subscription: Subscription = { closed, close: nothing, [Symbol.asyncDispose]: nothing };
  return { ...createTinyTransport(), subscribe: async () => subscription };
}

const textOf = (sent: Message): string => new TextDecoder().decode(sent.body ?? undefined);

describe('publishing', () => {
  it('sends the event under its type, with key, source, time and the headers a reader needs', async () => {
    const { bus, published } = rig();
    await bus.publish(placed, { orderId: 'o1', total: '12.00' });
    expect(published).toMatchObject([
      {
        topic: 'orders',
        message: {
          id: 'id-1',
          type: 'order.placed',
          source: 'shop',
          time: 1_234,
          key: 'o1',
          headers: { 'content-type': 'application/json', ce_eventversion: '3' },
        },
      },
    ]);
  });

  it('sends the input of the schema as it was given: defaults and conversions are the reader’s', async () => {
    const { bus, published } = rig();
    await bus.publish(placed, { orderId: 'o1', total: '12.00', placedAt: '2026-11-21' });
    expect(textOf(published[0]?.message as Message)).toBe('{"orderId":"o1","total":"12.00","placedAt":"2026-11-21"}');
  });

  it('refuses a payload that the schema refuses, and sends nothing', async () => {
    const { bus, published } = rig();
    await expect(bus.publish(placed, { orderId: '', total: '1' })).rejects.toMatchObject({
      code: 'VALIDATION',
      message: expect.stringMatching(/^core: cannot publish "order.placed": orderId: /),
    });
    expect(published).toEqual([]);
  });

  it('takes id, key, headers and cause of one publish', async () => {
    const { bus, published } = rig();
    const cause = { id: 'm7', correlationId: 'c1' };
    await bus.publish(
      shipped,
      { orderId: 'o1' },
      { id: 'mine', key: 'k', headers: { 'X-Tenant': 't1', 'content-type': 'forged' }, cause },
    );
    expect(published[0]?.message).toMatchObject({
      id: 'mine',
      key: 'k',
      headers: {
        'x-tenant': 't1',
        'content-type': 'application/json',
        [headerNames.correlationId]: 'c1',
        [headerNames.causationId]: 'm7',
      },
    });
  });

  it('sends a value to a topic: the type is the topic unless it is given', async () => {
    const { bus, published } = rig();
    await bus.publish('legacy', { any: 1 });
    await bus.publish('legacy', 'text', { type: 'legacy.said', version: 4, key: 'k' });
    expect(published.map(({ message: { type, key, headers } }) => [type, key, headers['ce_eventversion']])).toEqual([
      ['legacy', undefined, '1'],
      ['legacy.said', 'k', '4'],
    ]);
  });

  it('waits for asynchronous schemas and codecs, and carries the codec’s headers', async () => {
    const codec: Codec = {
      ...json,
      encode: async (value, context) => ({ ...(await json.encode(value, context)), headers: { 'schema-id': '7' } }),
    };
    const { bus, published } = rig({ codec });
    const { slow } = defineEvents(
      { topic: 't' },
      { slow: { version: 1, schema: z.string().refine(async (text) => text !== 'bad') } },
    );
    await bus.publish(slow, 'good');
    expect(published[0]?.message).toMatchObject({ headers: { 'schema-id': '7', 'content-type': 'application/json' } });
    await expect(bus.publish(slow, 'bad')).rejects.toMatchObject({ code: 'VALIDATION' });
  });

  it('rejects, and never throws, when the codec or the key function fails', async () => {
    const codec: Codec = {
      ...json,
      encode: () => {
        throw new BentoError('CODEC', 'no');
      },
    };
    await expect(rig({ codec }).bus.publish('t', 1)).rejects.toMatchObject({ code: 'CODEC' });
    const { odd } = defineEvents(
      { topic: 't' },
      { odd: { version: 1, schema: z.number(), key: (value) => value as unknown as string } },
    );
    await expect(rig().bus.publish(odd, 5)).rejects.toMatchObject({
      code: 'VALIDATION',
      message: expect.stringContaining('its key is no string but 5'),
    });
  });
});

describe('subscribing', () => {
  it('hands over events narrowed by type, as the schema makes them, with their context', async () => {
    const { bus } = rig();
    const seen: unknown[] = [];
    let context: EventContext | undefined;
    await bus.subscribe(
      [placed, shipped],
      (event, given) => {
        seen.push(
          event.type === 'order.placed'
            ? [event.type, event.data.channel, event.data.placedAt]
            : [event.type, event.data.orderId],
        );
        context = given;
      },
      { group: 'mail' },
    );
    await bus.publish(placed, { orderId: 'o1', total: '1', placedAt: '2026-11-21' });
    await bus.publish(
      shipped,
      { orderId: 'o1' },
      { headers: { tenant: 't' }, cause: { id: 'm0', correlationId: 'c0' } },
    );
    await until(seen, 2);
    expect(seen).toEqual([
      ['order.placed', 'web', new Date('2026-11-21')],
      ['order.shipped', 'o1'],
    ]);
    expect(context).toMatchObject({
      id: 'id-2',
      topic: 'orders',
      key: 'o1',
      attempt: 1,
      correlationId: 'c0',
      headers: { tenant: 't' },
    });
    expect(context?.signal).toBeInstanceOf(AbortSignal);
  });

  it('begins a correlation at a message that has none', async () => {
    const { bus } = rig();
    const seen: string[] = [];
    await bus.subscribe('t', (_, { id, correlationId }) => void seen.push(id, correlationId), { group: 'g' });
    await bus.publish('t', 1);
    await until(seen, 2);
    expect(seen).toEqual(['id-1', 'id-1']);
  });

  it('consumes several topics in one subscription of the transport', async () => {
    const { transport } = rig();
    const calls: (readonly string[])[] = [];
    const counting: Transport = {
      ...transport,
      subscribe: (topics, handler, options) => {
        calls.push(topics);
        return transport.subscribe(topics, handler, options);
      },
    };
    const { bus } = rig({ transport: counting });
    const seen: string[] = [];
    await bus.subscribe([placed, shipped, orderEvents['customer.renamed']], ({ type }) => void seen.push(type), {
      group: 'g',
    });
    await bus.publish(orderEvents['customer.renamed'], { name: ' Ann ' });
    await bus.publish(shipped, { orderId: '1' });
    await until(seen, 2);
    expect(calls).toEqual([['orders', 'customers']]);
  });

  it('brings old versions up to the current one, and takes messages without a version for current', async () => {
    const { bus, transport } = rig();
    const seen: unknown[] = [];
    await bus.subscribe([placed], ({ data }) => void seen.push(data), { group: 'g' });
    await transport.publish('orders', [
      message({
        type: 'order.placed',
        headers: { ce_eventversion: '1' },
        body: body(JSON.stringify({ id: 'o1', total: 2 })),
      }),
      message({ type: 'order.placed', body: body(JSON.stringify({ orderId: 'o2', total: '3.00' })) }),
    ]);
    await until(seen, 2);
    expect(seen).toEqual([
      { orderId: 'o1', total: '2.00', channel: 'web' },
      { orderId: 'o2', total: '3.00', channel: 'web' },
    ]);
  });

  it('acknowledges and counts types that nobody asked for', async () => {
    const logged: LogFields[] = [];
    const { bus } = rig({ logger: { ...silentLogger, debug: (_, fields) => void logged.push(fields ?? {}) } });
    const seen: string[] = [];
    const subscription = await bus.subscribe([shipped], ({ type }) => void seen.push(type), { group: 'g' });
    await bus.publish(placed, { orderId: 'o', total: '1' });
    await bus.publish(shipped, { orderId: 'o' });
    await until(seen, 1);
    expect(subscription.ignored).toBe(1);
    expect(logged).toMatchObject([{ topic: 'orders', type: 'order.placed', messageId: 'id-1', group: 'g' }]);
  });

  it('gives everything on a topic to a subscription of the topic, decoded', async () => {
    const { bus } = rig();
    const seen: unknown[] = [];
    await bus.subscribe('legacy', ({ type, data }) => void seen.push([type, data]), { group: 'g' });
    await bus.publish('legacy', { a: 1 });
    await bus.publish('legacy', [2], { type: 'other' });
    await until(seen, 2);
    expect(seen).toEqual([
      ['legacy', { a: 1 }],
      ['other', [2]],
    ]);
  });

  it('gives a tombstone as null', async () => {
    const { bus, transport } = rig();
    const seen: unknown[] = [];
    await bus.subscribe('compacted', ({ data }) => void seen.push(data), { group: 'g' });
    await transport.publish('compacted', [message({ body: null })]);
    await until(seen, 1);
    expect(seen).toEqual([null]);
  });

  it('decodes innermost, so that refusals of codec and schema reach the middleware like failures of the handler', async () => {
    const caught: unknown[] = [];
    const watch: Middleware = (next) => (one, signal) =>
      next(one, signal).catch((error: unknown) => void caught.push(error));
    const { bus, transport } = rig({ use: [watch] });
    const failures = {
      order: () => {
        throw new TypeError('at once');
      },
    };
    await bus.subscribe([shipped], () => failures.order(), { group: 'g', ...noSleep });
    await transport.publish('orders', [
      message({ type: 'order.shipped', body: body('no json') }),
      message({ type: 'order.shipped', body: body('{}') }),
      message({ type: 'order.shipped', body: body('{}'), headers: { ce_eventversion: 'x' } }),
      message({ type: 'order.shipped', body: body('{"orderId":"o"}') }),
    ]);
    await until(caught, 4);
    expect(caught).toMatchObject([
      { code: 'CODEC' },
      { code: 'VALIDATION' },
      { code: 'VALIDATION' },
      { message: 'at once' },
    ]);
  });

  it('puts the middleware of the bus outside of the subscription’s', async () => {
    const log: string[] = [];
    const named =
      (name: string): Middleware =>
      (next) =>
      async (one, signal) => {
        log.push(name);
        await next(one, signal);
      };
    const { bus } = rig({ use: [named('bus')] });
    await bus.subscribe('t', () => void log.push('handler'), { group: 'g', use: [named('subscription')] });
    await bus.publish('t', 1);
    await until(log, 3);
    expect(log).toEqual(['bus', 'subscription', 'handler']);
  });

  it('refuses a second subscription of one group to a topic, and names the dispatcher', async () => {
    const { bus } = rig();
    const first = await bus.subscribe([placed], () => {}, { group: 'mail' });
    await expect(bus.subscribe([shipped], () => {}, { group: 'mail' })).rejects.toMatchObject({
      code: 'GROUP_CONFLICT',
      message: expect.stringMatching(/"mail" to "orders".*@bento-bus\/dispatcher/),
    });
    await bus.subscribe([shipped], () => {}, { group: 'other' });
    await bus.subscribe([orderEvents['customer.renamed']], () => {}, { group: 'mail' });
    await first.close();
    await bus.subscribe([shipped], () => {}, { group: 'mail' });
  });

  it('refuses no definitions, and one type twice', async () => {
    const { bus } = rig();
    await expect(bus.subscribe([], () => {}, { group: 'g' })).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await expect(bus.subscribe([placed, placed], () => {}, { group: 'g' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('"order.placed" is named twice'),
    });
  });

  it('leaves the topic free when the transport refuses', async () => {
    const { bus } = rig();
    await expect(bus.subscribe('t', () => {}, { group: 'g', concurrency: 0 })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    });
    await bus.subscribe('t', () => {}, { group: 'g' });
  });
});

describe('closing', () => {
  it('ends the subscriptions and leaves the transport open', async () => {
    const { bus, transport, published } = rig();
    const subscription = await bus.subscribe('t', () => {}, { group: 'g' });
    const closing = bus.close();
    expect(bus.close()).toBe(closing);
    await closing;
    await subscription.closed;
    await transport.publish('t', [message()]);
    expect(published).toHaveLength(1);
  });

  it('refuses what comes after it', async () => {
    const { bus } = rig();
    await bus.close();
    await expect(bus.publish(shipped, { orderId: 'o' })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(bus.subscribe('t', () => {}, { group: 'g' })).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('ends a subscription that is being made', async () => {
    const { bus } = rig();
    const making = bus.subscribe('t', () => {}, { group: 'g' }).catch((error: unknown) => error);
    await bus.close();
    expect(await making).toMatchObject({ code: 'CLOSED' });
  });

  it('of a subscription by a fault is logged, seen in `closed`, and frees its group', async () => {
    const logged: unknown[] = [];
    const end = deferred();
    const logger = { ...silentLogger, error: (_: string, fields?: LogFields) => void logged.push(fields) };
    const bus: MessageBus = createMessageBus({ transport: endingWith(end.promise), codec: json, source: 's', logger });
    const subscription = await bus.subscribe('t', () => {}, { group: 'g' });
    end.reject(new BentoError('AUTHORIZATION', 'revoked'));
    await expect(subscription.closed).rejects.toMatchObject({ code: 'AUTHORIZATION' });
    expect(logged).toMatchObject([{ group: 'g', topics: ['t'], error: { message: 'revoked' } }]);
    await bus.subscribe('t', () => {}, { group: 'g' });
  });
});

describe('making a bus', () => {
  it('names everything that is missing', () => {
    const given = { transport: {}, codec: {}, source: '', use: 'x' } as unknown as MessageBusOptions;
    const make = () => createMessageBus(given);
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(make).toThrow(/transport must be.*codec must be.*source must be.*use must be.*these 4 faults/);
  });
});
