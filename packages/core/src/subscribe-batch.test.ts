import { describe, expect, it } from '@jest/globals';
import { orderEvents } from '../test/catalogue.ts';
import { message } from '../test/deliveries.ts';
import { json } from '../test/json.ts';
import { createTinyTransport } from '../test/tiny-transport.ts';
import {
  type BatchItem,
  type BusBatchOptions,
  type BusEvent,
  type BusSubscription,
  createMessageBus,
  type EventBatchHandler,
  type Message,
  type Middleware,
} from './index.ts';

const shipped = orderEvents['order.shipped'];
const options: BusBatchOptions = { group: 'g', size: 10, waitMs: 20, maxHoldMs: 0 };

/** Waits until `check` holds; the test's own timeout is the deadline. */
async function until(check: () => boolean): Promise<void> {
  while (!check()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}

const of = (orderId: string, given: Partial<Message> = {}): Message =>
  message({
    type: 'order.shipped',
    key: orderId[0] as string,
    body: new TextEncoder().encode(JSON.stringify({ orderId })),
    ...given,
  });
const broken = (key: string): Message => of(key, { body: new TextEncoder().encode('{') });
const orderOf = ({ event: { data } }: BatchItem<BusEvent>): string => (data as { orderId: string }).orderId;

/** Failures take the way of every failure, and end here. */
function rig() {
  const failures: { readonly key: string | undefined; readonly error: unknown }[] = [];
  const watch: Middleware = (next) => (delivery, signal) =>
    next(delivery, signal).catch((error: unknown) => {
      if ((error as { code?: string }).code === 'ABORTED') throw error;
      failures.push({ key: delivery.message.key, error });
    });
  const transport = createTinyTransport();
  const bus = createMessageBus({ transport, codec: json, source: 'shop' });
  const batches: string[][] = [];
  const start = (handler: EventBatchHandler<BusEvent>, given = options): Promise<BusSubscription> =>
    bus.subscribeBatch(
      [shipped],
      (batch, signal) => {
        batches.push(batch.map(orderOf));
        return handler(batch, signal);
      },
      given,
    );
  return { bus, transport, failures, watch, batches, start };
}

describe('a typed batch subscription', () => {
  it('hands over several events at once, with their contexts', async () => {
    const { bus, transport, batches } = rig();
    let seen: readonly BatchItem<BusEvent>[] = [];
    await bus.subscribeBatch(
      [shipped],
      (batch, signal) => {
        seen = batch;
        batches.push(batch.map(({ event }) => event.data.orderId));
        expect(batch.every(({ context }) => context.signal === signal)).toBe(true);
      },
      options,
    );
    await transport.publish('orders', [of('a1', { headers: { tenant: 't' } }), of('b1')]);
    await until(() => batches.length > 0);
    expect(batches).toEqual([['a1', 'b1']]);
    expect(seen[0]).toMatchObject({
      event: { type: 'order.shipped', data: { orderId: 'a1' } },
      context: { topic: 'orders', key: 'a', attempt: 1, headers: { tenant: 't' } },
    });
  });

  it('shows no event that codec or schema refuse: each fails by itself, the others are handled', async () => {
    const { transport, failures, watch, batches, start } = rig();
    await start(() => {}, { ...options, use: [watch] });
    await transport.publish('orders', [
      of('a1'),
      broken('b'),
      of('c1', { body: new TextEncoder().encode('{}') }),
      of('d1'),
    ]);
    await until(() => failures.length === 2 && batches.length > 0);
    expect(batches).toEqual([['a1', 'd1']]);
    expect(failures).toMatchObject([
      { key: 'b', error: { code: 'CODEC' } },
      { key: 'c', error: { code: 'VALIDATION' } },
    ]);
  });

  it.each(['key', 'none'] as const)('keeps a key behind a refused one in order, with ordering %s', async (ordering) => {
    const { transport, failures, watch, batches, start } = rig();
    await start(() => {}, { ...options, ordering, use: [watch] });
    await transport.publish('orders', [broken('a'), of('a2'), of('b1')]);
    await until(() => batches.flat().length === 2 && failures.length === 1);
    expect(batches).toEqual(ordering === 'key' ? [['b1'], ['a2']] : [['a2', 'b1']]);
  });

  it('ignores and counts types that nobody asked for, and calls no handler for them alone', async () => {
    const { transport, batches, start } = rig();
    const subscription = await start(() => {});
    await transport.publish('orders', [of('a1', { type: 'order.lost' })]);
    await until(() => subscription.ignored === 1);
    await transport.publish('orders', [of('a2'), of('b1', { type: 'order.lost' })]);
    await until(() => batches.length > 0 && subscription.ignored === 2);
    expect(batches).toEqual([['a2']]);
  });

  it('takes outcomes, one an event: only the failed ones come again', async () => {
    const { transport, batches, start } = rig();
    await start((batch) =>
      batch.map((item) =>
        orderOf(item) === 'b1' && batches.length === 1 ? { ok: false, error: new Error('no') } : { ok: true },
      ),
    );
    await transport.publish('orders', [of('a1'), of('b1'), of('c1')]);
    await until(() => batches.length === 2);
    expect(batches).toEqual([['a1', 'b1', 'c1'], ['b1']]);
  });

  it.each([
    ['throws', () => fail(), 'at once'],
    ['rejects', async () => fail(), 'at once'],
    ['returns outcomes that are not one an event', () => [{ ok: true }] as const, '1 outcomes for 2 deliveries'],
  ])('fails all of them when the handler %s', async (_, handler: EventBatchHandler<BusEvent>, text) => {
    const { transport, failures, watch, start } = rig();
    await start(handler, { ...options, use: [watch] });
    await transport.publish('orders', [of('a1'), of('b1')]);
    await until(() => failures.length === 2);
    for (const { error } of failures) expect(error).toMatchObject({ message: expect.stringContaining(text) });
  });

  it('has the checks of every subscription', async () => {
    const { bus } = rig();
    await expect(bus.subscribeBatch([shipped, shipped], nothing, options)).rejects.toMatchObject({
      code: 'CONFIGURATION',
    });
    await expect(bus.subscribeBatch([shipped], nothing, { ...options, size: 0 })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('size must be'),
    });
    await bus.subscribe([shipped], nothing, { group: 'g' });
    await expect(bus.subscribeBatch([shipped], nothing, options)).rejects.toMatchObject({ code: 'GROUP_CONFLICT' });
    await bus.close();
    await expect(bus.subscribeBatch([shipped], nothing, options)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

function fail(): never {
  throw new Error('at once');
}

function nothing(): void {}
