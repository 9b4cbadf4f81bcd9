import { createMessageBus, type ReadModelStore } from '@bento-bus/core';
import {
  createInMemoryEventStore,
  createInMemoryReadModels,
  createProjector,
  createRelay,
  createUnitOfWork,
  type Relay,
} from '@bento-bus/eventsourcing';
import { createCommandBus, createInProcessTransport, createQueryBus } from '@bento-bus/inprocess-bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { caughtUp } from '../caught-up.ts';
import { codecNames } from '../codec-names.ts';
import { createMessageCodec } from '../codecs.ts';
import { creditNoteEvents, orderEvents } from '../domain/events.ts';
import { orders } from '../read-model/models.ts';
import { projections } from '../read-model/projections.ts';
import { registerCommands } from './command-handlers.ts';
import { CancelOrder, PayOrder, PlaceOrder, RecordCreditNote, RefundOrder, ShipOrder } from './commands.ts';
import {
  GetOrder,
  GetRevenue,
  GetSummary,
  ListOrders,
  type OrderFilter,
  type Revenue,
  type RevenueDimension,
} from './queries.ts';
import { registerQueries } from './query-handlers.ts';
import { type ShippingNotification, subscribeShippingNotifications } from './shipping-notifications.ts';

const line = { sku: 'A1', description: 'MUG', quantity: 2, unitPrice: '1' };
const note = { creditNoteId: 'C9', customerId: '', country: 'Italy', issuedAt: 0 };

// The application on memory: the same command handlers, aggregates, relay, bus, projections and queries as over ClickHouse.
describe.each(codecNames)('the application with MESSAGE_CODEC=%s', (name) => {
  const store = createInMemoryEventStore();
  const readModels: ReadModelStore = createInMemoryReadModels();
  const transport = createInProcessTransport();
  const projector = createProjector({ store, readModels, projections });
  const commands = createCommandBus();
  const queries = createQueryBus();
  const notified: ShippingNotification[] = [];
  let relay: Relay;

  beforeAll(async () => {
    const codec = await createMessageCodec(name);
    const bus = createMessageBus({ transport, codec, source: '/test' });
    relay = createRelay({ store, transport, catalogues: [orderEvents, creditNoteEvents], codec, source: '/test' });
    registerCommands(commands, createUnitOfWork({ store, onCommit: () => relay.wake() }));
    registerQueries(queries, readModels);
    await projector.subscribe(transport, { group: 'read-models', codec });
    const notifier = {
      notify: async (notification: ShippingNotification) => {
        notified.push(notification);
      },
    };
    await subscribeShippingNotifications(bus, notifier);
    await relay.start();
    await Promise.all([
      place('1', 'France', '2010-12-01', '10.004'),
      place('2', 'France', '2010-12-02', '20'),
      place('3', 'Spain', '2010-12-02', '30'),
      place('4', 'Spain', '2010-12-03', '40'),
      commands.execute(new RecordCreditNote({ ...note, lines: [{ ...line, quantity: -3 }] })),
    ]);
    await commands.execute(new CancelOrder('1', 'late'));
    await commands.execute(new PayOrder('3'));
    await commands.execute(new ShipOrder('3', 'T-3', 'correlation-3'));
    await commands.execute(new PayOrder('4'));
    await commands.execute(new RefundOrder('4'));
    const { signal } = new AbortController();
    await caughtUp({ store, relay, transport, projector }, { timeoutMs: 10_000, signal, onProgress: () => {} });
  });
  afterAll(async () => {
    await relay.close();
    await transport.close();
  });

  const place = (orderId: string, country: string, day: string, unitPrice: string): Promise<string> => {
    const lines = [
      { ...line, quantity: 1, unitPrice },
      { ...line, sku: 'B2' },
    ];
    const placedAt = Date.parse(`${day}T23:59:00Z`);
    return commands.execute(new PlaceOrder({ orderId, customerId: '17850', country, placedAt, lines }));
  };

  const revenueBy = (dimension: RevenueDimension): Promise<readonly Revenue[]> =>
    queries.execute(new GetRevenue(dimension));

  it('keeps a row for each order as it stands', async () => {
    expect(await queries.execute(new GetOrder('3'))).toMatchObject({
      orderId: '3',
      status: 'shipped',
      tracking: 'T-3',
      lineCount: 2,
      total: '32',
      lines: [
        { sku: 'A1', quantity: 1, unitPrice: '30', amount: '30' },
        { sku: 'B2', quantity: 2, unitPrice: '1', amount: '2' },
      ],
    });
    expect(await queries.execute(new GetOrder('404'))).toBeUndefined();
    expect(await queries.execute(new GetOrder('C9'))).toBeUndefined();
  });

  it.each<[Partial<OrderFilter>, string[], number]>([
    [{}, ['1', '2', '3', '4'], 4],
    [{ limit: 3 }, ['1', '2', '3'], 4],
    [{ country: 'Spain' }, ['3', '4'], 2],
    [{ country: 'Spain', status: 'shipped' }, ['3'], 1],
    [{ country: 'Italy' }, [], 0],
  ])('lists orders by %j', async (filter, ids, count) => {
    const list = await queries.execute(new ListOrders(filter));
    expect({ ids: list.orders.map(({ orderId }) => orderId), count: list.count }).toEqual({ ids, count });
  });

  it('lists more orders than a page of the read model has', async () => {
    const many = createInMemoryReadModels();
    await many.ensure([orders]);
    const ids = Array.from({ length: 2_001 }, (_, i) => `${10_000 + i}`);
    const row = { status: 'placed', customerId: '', country: 'EIRE', placedAt: 0, day: '1970-01-01', tracking: '' };
    await many.write(
      orders,
      ids.map((orderId) => ({ row: { ...row, orderId, lineCount: 1, total: '1' }, streamVersion: 1 })),
    );
    const more = createQueryBus();
    registerQueries(more, many);
    const list = await more.execute(new ListOrders({}));
    expect(list.orders.map(({ orderId }) => orderId)).toEqual(ids);
  });

  it('counts revenue by country, day and status, without what is cancelled or refunded', async () => {
    expect(await revenueBy('country')).toEqual([
      { key: 'France', orders: 1, revenue: '22' },
      { key: 'Spain', orders: 1, revenue: '32' },
    ]);
    expect(await revenueBy('day')).toEqual([{ key: '2010-12-02', orders: 2, revenue: '54' }]);
    expect(await revenueBy('status')).toEqual([
      { key: 'cancelled', orders: 1, revenue: '12.004' },
      { key: 'placed', orders: 1, revenue: '22' },
      { key: 'refunded', orders: 1, revenue: '42' },
      { key: 'shipped', orders: 1, revenue: '32' },
    ]);
  });

  it('sums up all orders and lines, and keeps credit notes apart', async () => {
    expect(await queries.execute(new GetSummary())).toMatchObject({
      orders: 4,
      creditNotes: 1,
      lines: 8,
      revenue: '54',
    });
  });

  it('notifies of what is shipped, once', () => {
    expect(notified).toMatchObject([{ orderId: '3', customerId: '17850', country: 'Spain', tracking: 'T-3' }]);
  });

  it('does nothing when an order is placed again with the same content', async () => {
    const head = await store.head();
    expect(await place('2', 'France', '2010-12-02', '20.0')).toBe('unchanged');
    await expect(place('2', 'France', '2010-12-02', '20.01')).rejects.toThrow('it is placed already');
    expect(await store.head()).toBe(head);
  });

  it('carries the correlation id of a command to its events', async () => {
    for await (const { metadata, streamVersion } of store.getEvents({ type: 'order', id: '3' }, 3)) {
      expect({ streamVersion, id: metadata?.['correlationId'] }).toEqual({ streamVersion: 3, id: 'correlation-3' });
    }
  });
});
