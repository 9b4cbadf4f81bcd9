import { BentoError, type Message, type Subscription } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { eventually, jsonCodec, LogTransport } from '../test/support/log-backend.ts';
import {
  evolveOrder,
  orderEvents,
  orderLines,
  orderProjection,
  orderProjectionWith,
  orders,
} from '../test/support/orders.ts';
import { type ReadModelCall, watchedReadModels, watchedStore } from '../test/support/watched.ts';
import { deliveryOf, noted, placed, shipped, World } from '../test/support/world.ts';
import { failedEvents } from './failed-events.ts';
import { defineProjection } from './projection.ts';
import { createProjector } from './projector.ts';
import type { Projector, ProjectorSubscribeOptions } from './projector-options.ts';

const projectorOf = (world: World, options: Partial<Parameters<typeof createProjector>[0]> = {}): Projector =>
  createProjector({ store: world.store, readModels: world.readModels, projections: [orderProjection], ...options });
const subscribe = (
  projector: Projector,
  transport: LogTransport,
  options: Partial<ProjectorSubscribeOptions> = {},
): Promise<Subscription> =>
  projector.subscribe(transport, { group: 'orders', codec: jsonCodec, waitMs: 1, maxHoldMs: 30, ...options });
const messagesOf = async (world: World): Promise<Message[]> =>
  Promise.all((await world.events()).map(async (event) => (await deliveryOf(event)).message));

const messagesFrom = async (given: World, log: string): Promise<Message[]> => {
  const messages = await messagesOf(given);
  return messages.map((one) => Object.assign({}, one, { headers: Object.assign({}, one.headers, { ce_log: log }) }));
};

describe('a projector that is subscribed', () => {
  it('makes rows and facts of what the relay published', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'), noted('x'), shipped('o-1'));
    await world.append('o-2', placed('o-2', ['7']), noted('y'));
    const transport = new LogTransport();
    await transport.publish('orders', await messagesOf(world));
    await using _ = await subscribe(projectorOf(world), transport);
    await eventually(async () =>
      expect(await world.rows()).toEqual({
        orders: [
          { orderId: 'o-1', country: 'France', status: 'shipped', notes: 1, total: '3.5' },
          { orderId: 'o-2', country: 'France', status: 'placed', notes: 1, total: '7' },
        ],
        lines: [
          { orderId: 'o-1', version: 1, line: 0, sku: 'sku-0', amount: '1.5' },
          { orderId: 'o-1', version: 1, line: 1, sku: 'sku-1', amount: '2' },
          { orderId: 'o-2', version: 1, line: 0, sku: 'sku-0', amount: '7' },
        ],
      }),
    );
    const [state] = await world.readModels.get(orders, [{ orderId: 'o-1' }]);
    expect(state?.streamVersion).toBe(3);
  });

  it('passes over events of other stores, whose streams may have the same names', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    const other = new World();
    const transport = new LogTransport();
    let failed = 0;
    const use: ProjectorSubscribeOptions['use'] = [
      (next) => async (delivery, signal) => {
        await next(delivery, signal).catch(() => (failed += 1));
      },
    ];
    await using _ = await subscribe(projectorOf(other), transport, { use });
    await transport.publish('orders', await messagesFrom(world, 'another store'));
    await other.append('o-2', placed('o-2'));
    await transport.publish('orders', await messagesFrom(other, other.store.identity));
    await eventually(async () => expect(await other.rows()).toMatchObject({ orders: [{ orderId: 'o-2' }] }));
    expect(failed).toBe(0);
  });

  it('reads rows once and writes each model once a batch, facts before the rows that know of them', async () => {
    const world = new World();
    for (let index = 0; index < 20; index++) await world.append(`o-${index}`, placed(`o-${index}`), noted('x'));
    const calls: ReadModelCall[] = [];
    const readModels = watchedReadModels(world.readModels, (call) => void calls.push(call));
    const transport = new LogTransport();
    await transport.publish('orders', await messagesOf(world));
    await using _ = await subscribe(projectorOf(world, { readModels }), transport, { size: 40 });
    await eventually(async () => expect((await world.rows()).orders).toHaveLength(20));
    expect(calls.map(({ call, model, rows }) => [call, model, rows.length])).toEqual([
      ['get', 'orders', 20],
      ['write', 'order_lines', 40],
      ['write', 'orders', 20],
    ]);
  });

  it('loads what is missing from the store, and skips what the row has', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'), noted('a'), noted('b'), noted('c'));
    const [first, , , last] = await messagesOf(world);
    const transport = new LogTransport();
    const { reads, store } = watchedStore(world.store);
    await using _ = await subscribe(projectorOf(world, { store }), transport);
    const notes = async (): Promise<unknown> => (await world.readModels.find(orders))[0]?.notes;
    await transport.publish('orders', [last as Message]);
    await eventually(async () => expect(await notes()).toBe(3));
    expect(reads.streams).toEqual([{ type: 'order', id: 'o-1' }]);
    await transport.publish('orders', [first as Message, last as Message]);
    await world.append('o-1', noted('d'));
    const messages = await messagesOf(world);
    await transport.publish('orders', messages.slice(-1));
    await eventually(async () => expect(await notes()).toBe(4));
    expect(reads.streams).toHaveLength(1);
  });

  it('handles its types only; others in the stream do not move the row and are no gap for good', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'), noted('a'), noted('b'), shipped('o-1'));
    const { 'order.placed': orderPlaced, 'order.shipped': orderShipped } = orderEvents;
    const statuses = defineProjection({
      name: 'statuses',
      streams: ['order'],
      events: { 'order.placed': orderPlaced, 'order.shipped': orderShipped },
      model: orders,
      evolve: (row, { stream, type }) => ({
        orderId: stream.id,
        country: '',
        status: type,
        notes: row?.notes ?? 0,
        total: '0',
      }),
    });
    const transport = new LogTransport();
    await transport.publish('orders', await messagesOf(world));
    await using _ = await subscribe(projectorOf(world, { projections: [statuses] }), transport);
    await eventually(async () => expect((await world.readModels.find(orders))[0]?.status).toBe('order.shipped'));
    const [state] = await world.readModels.get(orders, [{ orderId: 'o-1' }]);
    expect(state?.streamVersion).toBe(4);
  });

  it('records an event that fails, acknowledges it, and holds up no other stream', async () => {
    const world = new World();
    await world.append('bad', placed('bad'), noted('poison'), noted('after'), shipped('bad'));
    for (let index = 0; index < 5; index++) await world.append(`o-${index}`, placed(`o-${index}`), noted('x'));
    const transport = new LogTransport();
    await transport.publish('orders', await messagesOf(world));
    const subscription = await subscribe(projectorOf(world), transport);
    await eventually(async () => expect(await world.readModels.find(failedEvents)).toHaveLength(1));
    const [failed] = await world.readModels.find(failedEvents);
    const poison = (await world.events())[1];
    expect(failed).toEqual({
      projection: 'orders',
      modelVersion: 1,
      streamType: 'order',
      streamId: 'bad',
      streamVersion: 2,
      eventId: poison?.id,
      eventType: 'order.noted',
      position: poison?.position,
      reason: 'a poisoned note',
      failedAt: expect.any(Number),
      state: 'failed',
    });
    const good = (await world.rows()).orders.filter((row) => (row as { orderId: string }).orderId !== 'bad');
    expect(good).toHaveLength(5);
    // What came before the poison counts.
    expect(await world.readModels.get(orders, [{ orderId: 'bad' }])).toMatchObject([
      { streamVersion: 1, row: { notes: 0 } },
    ]);
    // Drains: nothing is held any more.
    await subscription.close();
    expect(await world.readModels.find(failedEvents)).toEqual([failed]);
  });

  it('is mended by code that takes the event in: the next event of the stream brings all of them', async () => {
    const world = new World();
    await world.append('bad', placed('bad'), noted('poison'), noted('after'));
    const transport = new LogTransport();
    await transport.publish('orders', await messagesOf(world));
    const broken = await subscribe(projectorOf(world), transport);
    await eventually(async () => expect(await world.readModels.find(failedEvents)).toHaveLength(1));
    await broken.close();
    const mended = orderProjectionWith({
      evolve: (row, event) =>
        event.type === 'order.noted' && row ? { ...row, notes: row.notes + 1 } : evolveOrder(row, event),
    });
    const projector = projectorOf(world, { projections: [mended] });
    const other = new LogTransport();
    await using _ = await subscribe(projector, other);
    await world.append('bad', shipped('bad'));
    await other.publish('orders', (await messagesOf(world)).slice(-1));
    await eventually(async () => expect((await world.rows()).orders).toMatchObject([{ notes: 2, status: 'shipped' }]));
    // The record is still there, and counts no more.
    expect(await world.readModels.find(failedEvents)).toHaveLength(1);
    await projector.caughtUp({ to: await world.store.head(), timeoutMs: 0 });
  });

  it('waits for read models that are away, and records no failure for it', async () => {
    const world = new World();
    for (let index = 0; index < 5; index++) await world.append(`o-${index}`, placed(`o-${index}`), noted('x'));
    let tries = 0;
    let away = true;
    const readModels = watchedReadModels(world.readModels, ({ call }) => {
      if (!away || call !== 'write') return;
      tries += 1;
      throw new BentoError('CONNECTION', 'the server is away', true);
    });
    const transport = new LogTransport();
    await transport.publish('orders', await messagesOf(world));
    await using _ = await subscribe(projectorOf(world, { readModels }), transport, { maxHoldMs: 1 });
    // Well past the lanes' limits: the hook has been asked too.
    await eventually(() => expect(tries).toBeGreaterThan(20));
    away = false;
    await eventually(async () => expect((await world.rows()).orders).toHaveLength(5));
    expect(await world.readModels.find(failedEvents)).toEqual([]);
  });

  it('finds the event whose row the store refuses, and writes all others', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    await world.append('bad', placed('bad', ['1']), noted('x'), shipped('bad'));
    await world.append('o-2', placed('o-2'), noted('y'));
    const spoiled = orderProjectionWith({
      evolve: (row, event) => {
        const next = evolveOrder(row, event);
        return event.type === 'order.shipped' ? { ...next, total: 'much' } : next;
      },
    });
    const transport = new LogTransport();
    await transport.publish('orders', await messagesOf(world));
    await using _ = await subscribe(projectorOf(world, { projections: [spoiled] }), transport);
    await eventually(async () => expect(await world.readModels.find(failedEvents)).toHaveLength(1));
    expect(await world.readModels.find(failedEvents)).toMatchObject([
      { streamId: 'bad', streamVersion: 3, reason: expect.stringContaining('"total" is no decimal: much') },
    ]);
    expect((await world.rows()).orders).toMatchObject([
      { orderId: 'bad', notes: 1, status: 'placed' },
      { orderId: 'o-1' },
      { orderId: 'o-2', notes: 1 },
    ]);
    expect((await world.rows()).lines).toHaveLength(5);
  });

  it('records bodies and places that cannot be read', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    await world.append('o-2', placed('o-2'));
    await world.append('o-3', placed('o-3'));
    const [good, broken, lost] = await messagesOf(world);
    const transport = new LogTransport();
    await transport.publish('orders', [
      { ...(broken as Message), body: new TextEncoder().encode('{') },
      { ...(lost as Message), headers: {}, id: 'no-place' },
      { ...(good as Message), body: null, id: 'no-body', headers: { ...good?.headers, ce_streamid: 'o-4' } },
      { ...(good as Message), id: 'ill-named', headers: { ...good?.headers, ce_streamid: '\uD800' } },
      { ...(good as Message), type: 'order.unknown', id: 'ignored', headers: {} },
      good as Message,
    ]);
    await using _ = await subscribe(projectorOf(world), transport);
    await eventually(async () => expect(await world.readModels.find(failedEvents)).toHaveLength(4));
    const failed = await world.readModels.find(failedEvents);
    expect(failed.map(({ reason, streamId, streamType }) => [streamType, streamId, reason])).toEqual([
      ['', 'ill-named', expect.stringContaining('no place in a stream')],
      ['', 'no-place', expect.stringContaining('no place in a stream')],
      ['order', 'o-2', expect.stringMatching(/JSON/)],
      ['order', 'o-4', expect.stringContaining('no body')],
    ]);
    expect(await world.readModels.find(orders)).toMatchObject([{ orderId: 'o-1' }]);
  });

  it('records a message of another store after its limits, instead of waiting for ever', async () => {
    const [world, other] = [new World(), new World()];
    await other.append('o-1', placed('o-1'), noted('x'));
    const transport = new LogTransport();
    await transport.publish('orders', (await messagesOf(other)).slice(1));
    await using _ = await subscribe(projectorOf(world), transport);
    await eventually(async () =>
      expect(await world.readModels.find(failedEvents)).toMatchObject([
        { streamVersion: 2, reason: expect.stringContaining('another store') },
      ]),
    );
  });

  it('refuses rows under another key than the stream, and two streams under one key', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    await world.append('o-2', placed('o-2'));
    const strayed = orderProjectionWith({
      name: 'strayed',
      evolve: (row, event) => ({ ...evolveOrder(row, event), orderId: 'elsewhere' }),
    });
    await projectorOf(world, { projections: [strayed] }).catchUp();
    expect(await world.readModels.find(failedEvents)).toMatchObject([
      { projection: 'strayed', streamId: 'o-1', reason: expect.stringContaining('elsewhere') },
      { projection: 'strayed', streamId: 'o-2' },
    ]);
    const shared = orderProjectionWith({ key: () => ({ orderId: 'one' }) });
    await expect(projectorOf(world, { projections: [shared] }).catchUp()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('both have the key'),
    });
  });

  it('fails the stream alone whose key cannot be made or looked for', async () => {
    const world = new World();
    for (const id of ['o-1', 'odd', 'o-2', 'ill', 'o-3']) await world.append(id, placed(id));
    const picky = orderProjectionWith({
      key: ({ id }) => {
        if (id === 'odd') throw new Error('no number in it');
        return { orderId: id === 'ill' ? '\uD800' : id };
      },
    });
    // As ClickHouse does, for any key that it cannot hold.
    const readModels = watchedReadModels(world.readModels, ({ call, rows }) => {
      if (call !== 'get' || !JSON.stringify(rows).includes('\\ud800')) return;
      throw new BentoError('VALIDATION', 'the key is not well-formed');
    });
    await projectorOf(world, { readModels, projections: [picky] }).catchUp();
    expect((await world.rows()).orders).toMatchObject([{ orderId: 'o-1' }, { orderId: 'o-2' }, { orderId: 'o-3' }]);
    expect(await world.readModels.find(failedEvents)).toMatchObject([
      { streamId: 'ill', streamVersion: 1, reason: 'the key is not well-formed' },
      { streamId: 'odd', streamVersion: 1, reason: expect.stringContaining('key() failed: no number in it') },
    ]);
  });

  it('names what is wrong with its options', () => {
    const world = new World();
    expect(() => projectorOf(world, { projections: [] })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(() => projectorOf(world, { projections: [orderProjection, orderProjection] })).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/the name "orders".*"orders".*"order_lines"/) }),
    );
    expect(orderLines.name).toBe('order_lines');
  });
});
