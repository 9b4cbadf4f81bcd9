// A small order domain for the tests of this package.
import { defineEvents, defineReadModel, type RowOf, type StreamId } from '@bento-bus/core';
import { z } from 'zod';
import {
  Aggregate,
  defineProjection,
  type EventsOf,
  type ProjectedEvent,
  type Projection,
  type RecordOptions,
} from '../../src/index.ts';

const OrderPlaced = z.object({
  orderId: z.string(),
  country: z.string(),
  lines: z.array(z.object({ sku: z.string(), amount: z.string() })),
});

export const orderEvents = defineEvents(
  { topic: 'orders' },
  {
    // Version 1 had no country.
    'order.placed': {
      version: 2,
      schema: OrderPlaced,
      key: (data) => data.orderId,
      upcast: { 1: (old: object) => ({ country: 'unknown', ...old }) },
    },
    'order.shipped': {
      version: 1,
      schema: z.object({ orderId: z.string(), tracking: z.string().default('none') }),
      key: (data) => data.orderId,
    },
    'order.noted': { version: 1, schema: z.object({ text: z.string() }) },
  },
);
export type OrderEvent = EventsOf<typeof orderEvents>;

export class Order extends Aggregate<typeof orderEvents> {
  static readonly streamType: string = 'order';
  static readonly events: typeof orderEvents = orderEvents;
  /** What `apply` was given, for the tests to look at. */
  readonly applied: OrderEvent[] = [];
  status: 'new' | 'placed' | 'shipped' = 'new';

  place(country: string, amounts: readonly string[] = ['1.50'], options?: RecordOptions): void {
    if (this.status !== 'new') throw new Error(`order ${this.id} is ${this.status}`);
    const lines = amounts.map((amount, index) => ({ sku: `sku-${index}`, amount }));
    this.record(orderEvents['order.placed'], { orderId: this.id, country, lines }, options);
  }

  ship(tracking?: string): void {
    if (this.status !== 'placed') throw new Error(`order ${this.id} is ${this.status}`);
    this.record(orderEvents['order.shipped'], { orderId: this.id, tracking });
  }

  note(text: string): void {
    this.record(orderEvents['order.noted'], { text });
  }

  protected apply(event: OrderEvent): void {
    this.applied.push(event);
    if (event.type === 'order.placed') this.status = 'placed';
    if (event.type === 'order.shipped') this.status = 'shipped';
  }
}

export const orders = defineReadModel({
  name: 'orders',
  version: 1,
  key: ['orderId'],
  columns: {
    orderId: 'string',
    country: 'string',
    status: 'string',
    notes: 'integer',
    total: 'decimal',
  },
});

export const orderLines = defineReadModel({
  name: 'order_lines',
  version: 1,
  key: ['orderId', 'version', 'line'],
  columns: { orderId: 'string', version: 'integer', line: 'integer', sku: 'string', amount: 'decimal' },
});

const cents = (amount: string): number => Math.round(Number(amount) * 100);

type OrderRow = RowOf<typeof orders>;
type Projected = ProjectedEvent<typeof orderEvents>;

/** Fails at a note that says `poison`. */
export function evolveOrder(row: OrderRow | undefined, event: Projected): OrderRow {
  if (event.type === 'order.placed') {
    const { country, lines, orderId } = event.data;
    const total = lines.reduce((sum, { amount }) => sum + cents(amount), 0);
    return { orderId, country, status: 'placed', notes: 0, total: (total / 100).toFixed(2) };
  }
  if (!row) throw new Error('the order was never placed');
  if (event.type === 'order.shipped') return { ...row, status: 'shipped' };
  if (event.data.text === 'poison') throw new Error('a poisoned note');
  return { ...row, notes: row.notes + 1 };
}

/** The projection of orders, or one that differs in something. */
export const orderProjectionWith = (
  change: {
    readonly name?: string;
    readonly key?: (stream: StreamId) => { readonly orderId: string };
    readonly evolve?: typeof evolveOrder;
  } = {},
): Projection<typeof orderEvents, typeof orders> =>
  defineProjection({
    name: 'orders',
    streams: ['order'],
    events: orderEvents,
    model: orders,
    evolve: evolveOrder,
    facts: [
      {
        model: orderLines,
        rows: (event) =>
          event.type === 'order.placed'
            ? event.data.lines.map(({ amount, sku }, line) => ({
                orderId: event.stream.id,
                version: event.streamVersion,
                line,
                sku,
                amount,
              }))
            : [],
      },
    ],
    ...change,
  });

export const orderProjection = orderProjectionWith();
