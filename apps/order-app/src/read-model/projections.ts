import type { RowOf } from '@bento-bus/core';
import { defineProjection, type ProjectedEvent, type Projection } from '@bento-bus/eventsourcing';
import { CreditNote } from '../domain/credit-note.ts';
import { creditNoteEvents, type Line, type OrderPlaced, orderEvents } from '../domain/events.ts';
import { amountOf, sum } from '../domain/money.ts';
import { Order } from '../domain/order.ts';
import type { OrderStatus } from '../domain/order-status.ts';
import { creditNotes, orderLines, orders } from './models.ts';

type OrderEvent = ProjectedEvent<typeof orderEvents>;

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const totalOf = (lines: readonly Line[]): string => sum(lines.map(amountOf));

type OrderRow = RowOf<typeof orders>;

const placed = ({ orderId, customerId, country, placedAt, lines }: OrderPlaced): OrderRow => ({
  orderId,
  status: 'placed',
  customerId,
  country,
  placedAt,
  day: dayOf(placedAt),
  lineCount: lines.length,
  total: totalOf(lines),
  tracking: '',
});

/** Status of an order after an event that follows its placing. */
const statusAfter: Readonly<Record<Exclude<OrderEvent['type'], 'order.placed'>, OrderStatus>> = {
  'order.paid': 'paid',
  'order.shipped': 'shipped',
  'order.cancelled': 'cancelled',
  'order.refunded': 'refunded',
};

/** One row an order and one a line. */
const orderProjection = defineProjection({
  name: 'orders',
  streams: [Order.streamType],
  events: orderEvents,
  model: orders,
  evolve: (row, event) => {
    if (event.type === 'order.placed') return placed(event.data);
    if (row === undefined) throw new Error(`order ${event.stream.id} was never placed`);
    const tracking = event.type === 'order.shipped' ? event.data.tracking : row.tracking;
    return { ...row, status: statusAfter[event.type], tracking };
  },
  facts: [
    {
      model: orderLines,
      rows: (event) =>
        event.type === 'order.placed'
          ? event.data.lines.map((line, i) => ({
              orderId: event.data.orderId,
              streamVersion: event.streamVersion,
              line: i + 1,
              ...line,
              amount: amountOf(line),
            }))
          : [],
    },
  ],
});

/** One row a credit note. */
const creditNoteProjection = defineProjection({
  name: 'credit-notes',
  streams: [CreditNote.streamType],
  events: creditNoteEvents,
  model: creditNotes,
  evolve: (_, { data: { creditNoteId, customerId, country, issuedAt, lines } }) => ({
    creditNoteId,
    customerId,
    country,
    issuedAt,
    day: dayOf(issuedAt),
    lineCount: lines.length,
    total: totalOf(lines),
  }),
});

/** What the read models are made by. Revenue per day, country and status are totals over the rows of orders. */
export const projections: readonly Projection[] = [orderProjection, creditNoteProjection];
