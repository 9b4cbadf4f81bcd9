import type { QueryBus, ReadModel, ReadModelPort } from '@bento-bus/core';
import { sum } from '../domain/money.ts';
import { orderStatuses } from '../domain/order-status.ts';
import { creditNotes, orderLines, orders } from '../read-model/models.ts';
import { findOrders } from './find-orders.ts';
import {
  FindOrders,
  GetOrder,
  GetRevenue,
  GetStatistics,
  GetSummary,
  ListOrders,
  type Revenue,
  type RevenueDimension,
  type Summary,
} from './queries.ts';
import { findAll, summaryOf } from './rows.ts';

/** Orders that bring money in. */
const earning = { status: orderStatuses.filter((status) => status !== 'cancelled' && status !== 'refunded') };

/** Answers the queries of the application from the read models. */
export function registerQueries(queries: QueryBus, readModels: ReadModelPort): void {
  const count = async (model: ReadModel): Promise<number> => {
    const [all] = await readModels.totals(model, { sum: [] });
    return all?.count ?? 0;
  };

  const revenueBy = async (by: RevenueDimension): Promise<Revenue[]> => {
    const where = by === 'status' ? {} : earning;
    const groups = await readModels.totals(orders, { by: [by], sum: ['total'], where });
    return groups
      .map((group) => ({ key: group[by], orders: group.count, revenue: group.total }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  };

  queries.register(GetRevenue, ({ by }) => revenueBy(by));

  const summary = async (): Promise<Summary> => {
    const byCountry = await revenueBy('country');
    return {
      orders: await count(orders),
      creditNotes: await count(creditNotes),
      lines: await count(orderLines),
      revenue: sum(byCountry.map(({ revenue }) => revenue)),
      byCountry,
    };
  };
  queries.register(GetSummary, summary);
  queries.register(GetStatistics, async () => ({
    ...(await summary()),
    byDay: await revenueBy('day'),
    byStatus: await revenueBy('status'),
  }));

  queries.register(FindOrders, ({ search }) => findOrders(readModels, search));

  queries.register(ListOrders, async ({ filter: { limit, ...where } }) => {
    const [matching] = await readModels.totals(orders, { sum: [], where });
    const rows = await findAll(readModels, orders, where, limit);
    return { orders: rows.map(summaryOf), count: matching?.count ?? 0 };
  });

  queries.register(GetOrder, async ({ orderId }) => {
    const [found] = await readModels.get(orders, [{ orderId }]);
    if (found === undefined) return undefined;
    const lines = await findAll(readModels, orderLines, { orderId });
    return { ...summaryOf(found.row), lines };
  });
}
