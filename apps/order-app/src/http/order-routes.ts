import { randomBytes } from 'node:crypto';
import { CancelOrder, PayOrder, PlaceOrder, type Recorded, RefundOrder, ShipOrder } from '../application/commands.ts';
import { FindOrders, GetOrder, GetStatistics } from '../application/queries.ts';
import { OrderRuleError } from '../domain/errors.ts';
import type { OrderPlaced } from '../domain/events.ts';
import type { OrderApp } from '../order-app.ts';
import type { TimedStep } from '../serve/order-history.ts';
import { committedOrder, eventsOfOrder } from './committed-order.ts';
import { cursorAfter, readCursor } from './cursor.ts';
import { detailsView, eventView, isoTime, statisticsView, summaryView } from './order-view.ts';
import { HttpProblem } from './problems.ts';
import { answers } from './responses.ts';
import {
  Cancelling,
  ListQuery,
  NewOrder,
  Nothing,
  OrderDetails,
  OrderEvents,
  OrderPage,
  OrderPath,
  OrderTrace,
  Shipping,
  Statistics,
  type Step,
} from './schemas.ts';
import type { Shop } from './shop.ts';
import type { Server } from './zod-schemas.ts';

const tags = ['orders'];

/** Places, changes and shows orders. */
export function registerOrderRoutes(server: Server, { app, history }: Shop): void {
  const { commands, queries } = app;
  const { eventStore } = app.parts.clickhouse;

  server.post(
    '/api/orders',
    {
      schema: {
        tags,
        summary: 'Place an order; again with the same number and content changes nothing',
        body: NewOrder,
        response: answers({ 200: OrderDetails, 201: OrderDetails }),
      },
    },
    async ({ body, id: correlationId }, reply) => {
      const { orderId = newOrderId(), ...content } = body;
      const recorded = await place(app, { orderId, ...content }, correlationId);
      // Also of an order that cannot be read yet.
      void reply.header('location', `/api/orders/${encodeURIComponent(orderId)}`);
      const order = await committedOrder(app, orderId);
      return reply.code(recorded === 'recorded' ? 201 : 200).send(detailsView(order));
    },
  );

  server.get(
    '/api/orders',
    {
      schema: {
        tags,
        summary: 'List orders, a page at a time',
        querystring: ListQuery,
        response: answers({ 200: OrderPage }),
      },
    },
    async ({ query: { cursor, order: sorting, country, status, search, limit } }) => {
      const { orders, count, more } = await queries.execute(
        new FindOrders({
          sorting,
          limit,
          ...(country !== undefined && { country }),
          ...(status !== undefined && { status }),
          ...(search !== undefined && { search }),
          ...(cursor !== undefined && { after: readCursor(cursor, sorting) }),
        }),
      );
      const last = orders.at(-1);
      return { orders: orders.map(summaryView), count, next: more && last ? cursorAfter(sorting, last) : null };
    },
  );

  server.get(
    '/api/orders/:id',
    {
      schema: {
        tags,
        summary: 'Show an order with its lines',
        params: OrderPath,
        response: answers({ 200: OrderDetails }),
      },
    },
    async ({ params: { id } }) => {
      const order = await queries.execute(new GetOrder(id));
      if (order === undefined) throw noOrder(id);
      return detailsView(order);
    },
  );

  /** Carries a command out and answers with the order as it is then. */
  const carriedOut = async (command: { readonly orderId: string }): Promise<object> => {
    await commands.execute(command);
    return detailsView(await committedOrder(app, command.orderId));
  };
  const described = <B>(summary: string, body: B) => ({
    schema: { tags, summary, params: OrderPath, body, response: answers({ 200: OrderDetails }) },
  });

  server.post('/api/orders/:id/pay', described('Pay a placed order', Nothing), (request) =>
    carriedOut(new PayOrder(request.params.id, request.id)),
  );
  server.post('/api/orders/:id/ship', described('Ship a paid order', Shipping), (request) =>
    carriedOut(new ShipOrder(request.params.id, request.body.tracking, request.id)),
  );
  server.post('/api/orders/:id/cancel', described('Cancel an order that is not shipped', Cancelling), (request) =>
    carriedOut(new CancelOrder(request.params.id, request.body.reason, request.id)),
  );
  server.post('/api/orders/:id/refund', described('Pay a paid order back', Nothing), (request) =>
    carriedOut(new RefundOrder(request.params.id, request.id)),
  );

  server.get(
    '/api/orders/:id/events',
    {
      schema: {
        tags,
        summary: 'What happened to an order',
        params: OrderPath,
        response: answers({ 200: OrderEvents }),
      },
    },
    async ({ params: { id } }) => {
      const events = await eventsOfOrder(eventStore, id);
      if (events.length === 0) throw noOrder(id);
      return { events: events.map(eventView) };
    },
  );

  server.get(
    '/api/orders/:id/trace',
    {
      schema: {
        tags,
        summary: 'What happened to the messages of an order',
        params: OrderPath,
        response: answers({ 200: OrderTrace }),
      },
    },
    async ({ params: { id } }) => {
      const events = await eventsOfOrder(eventStore, id);
      if (events.length === 0) throw noOrder(id);
      const steps = history.stepsOf(id, events);
      return { steps: steps.map(stepView) };
    },
  );

  server.get(
    '/api/statistics',
    { schema: { tags: ['statistics'], summary: 'Figures of the whole shop', response: answers({ 200: Statistics }) } },
    async () => statisticsView(await queries.execute(new GetStatistics())),
  );
}

const stepView = ({ time, ...step }: TimedStep): Step => ({ time: isoTime(time), ...step });

/** A number that nobody has: 50 bits, in letters and digits that are told apart when read out. */
const newOrderId = (): string =>
  `W-${Array.from(randomBytes(10), (byte) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[byte % 32]).join('')}`;

const noOrder = (orderId: string): HttpProblem => new HttpProblem(404, `There is no order "${orderId}".`, 'not-found');

/**
 * A client that sends its order again does not know when it was placed first: the time of that is no other content. Who is overtaken by
 * the same order looks once more.
 */
async function place(app: OrderApp, order: Omit<OrderPlaced, 'placedAt'>, correlationId: string): Promise<Recorded> {
  const before = await placedAt(app, order.orderId);
  try {
    return await app.commands.execute(new PlaceOrder({ ...order, placedAt: before ?? Date.now() }, correlationId));
  } catch (error) {
    if (before !== undefined || !(error instanceof OrderRuleError) || error.rule !== 'already-placed') throw error;
    const first = await placedAt(app, order.orderId);
    if (first === undefined) throw error;
    return app.commands.execute(new PlaceOrder({ ...order, placedAt: first }, correlationId));
  }
}

async function placedAt({ parts }: OrderApp, orderId: string): Promise<number | undefined> {
  const [first] = await eventsOfOrder(parts.clickhouse.eventStore, orderId);
  return (first?.data as OrderPlaced | undefined)?.placedAt;
}
