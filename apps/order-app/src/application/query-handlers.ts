import type { QueryBus, ReadModel, ReadModelPort, RowOf, Where } from '@bento-bus/core';
import { sum } from '../domain/money.ts';
import { type OrderStatus, orderStatuses } from '../domain/order-status.ts';
import { creditNotes, orderLines, orders } from '../read-model/models.ts';
import {
  GetOrder,
  GetRevenue,
  GetSummary,
  ListOrders,
  type OrderSummary,
  type Revenue,
  type RevenueDimension,
} from './queries.ts';

/** Orders that bring money in. */
const earning = { status: orderStatuses.filter((status) => status !== 'cancelled' && status !== 'refunded') };

const pageSize = 1_000;

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

  queries.register(GetSummary, async () => {
    const byCountry = await revenueBy('country');
    return {
      orders: await count(orders),
      creditNotes: await count(creditNotes),
      lines: await count(orderLines),
      revenue: sum(byCountry.map(({ revenue }) => revenue)),
      byCountry,
    };
  });

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

const summaryOf = (row: RowOf<typeof orders>): OrderSummary => ({
  orderId: row.orderId,
  // Its projection writes these statuses only.
  status: row.status as OrderStatus,
  customerId: row.customerId,
  country: row.country,
  placedAt: row.placedAt,
  lineCount: row.lineCount,
  total: row.total,
  tracking: row.tracking,
});

/** Rows of a filter by key, a page at a time, `limit` at most. */
async function findAll<M extends ReadModel>(
  readModels: ReadModelPort,
  model: M,
  where: Where<M>,
  limit = Number.POSITIVE_INFINITY,
): Promise<RowOf<M>[]> {
  const rows: RowOf<M>[] = [];
  while (rows.length < limit) {
    const after = rows.at(-1);
    const size = Math.min(pageSize, limit - rows.length);
    const page = await readModels.find(model, { where, limit: size, ...(after !== undefined && { after }) });
    for (const row of page) rows.push(row);
    if (page.length < size) break;
  }
  return rows;
}
