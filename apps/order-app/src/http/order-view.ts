import type { StoredEvent } from '@bento-bus/core';
import type { z } from 'zod';
import type * as Application from '../application/queries.ts';
import { canonicalDecimal, printMoney } from '../domain/money.ts';
import type { OrderDetails, OrderEvents, OrderSummary, Statistics } from './schemas.ts';

/** As times go over HTTP. */
export const isoTime = (time: number): string => new Date(time).toISOString();

export const summaryView = ({ placedAt, total, ...order }: Application.OrderSummary): z.infer<typeof OrderSummary> => ({
  ...order,
  placedAt: isoTime(placedAt),
  total: printMoney(total),
});

export const detailsView = ({ lines, ...order }: Application.OrderDetails): z.infer<typeof OrderDetails> => ({
  ...summaryView(order),
  lines: lines.map(({ sku, description, quantity, unitPrice, amount }, i) => ({
    line: i + 1,
    sku,
    description,
    quantity,
    unitPrice: canonicalDecimal(unitPrice),
    amount: printMoney(amount),
  })),
});

export const eventView = (event: StoredEvent): z.infer<typeof OrderEvents>['events'][number] => ({
  id: event.id,
  type: event.type,
  time: isoTime(event.time),
  streamVersion: event.streamVersion,
  position: event.position,
  correlationId: event.metadata?.['correlationId'] ?? '',
  data: event.data as Record<string, unknown>,
});

const revenueView = (groups: readonly Application.Revenue[]): z.infer<typeof Statistics>['byDay'] =>
  groups.map(({ key, orders, revenue }) => ({ key, orders, revenue: printMoney(revenue) }));

export const statisticsView = (all: Application.Statistics): z.infer<typeof Statistics> => ({
  orders: all.orders,
  creditNotes: all.creditNotes,
  lines: all.lines,
  revenue: printMoney(all.revenue),
  byDay: revenueView(all.byDay),
  byCountry: revenueView(all.byCountry),
  byStatus: revenueView(all.byStatus),
});
