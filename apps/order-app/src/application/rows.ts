import type { ReadModel, ReadModelPort, RowOf, Where } from '@bento-bus/core';
import type { OrderStatus } from '../domain/order-status.ts';
import type { orders } from '../read-model/models.ts';
import type { OrderSummary } from './queries.ts';

const pageSize = 5_000;

/** An order as its row has it. */
export const summaryOf = (row: RowOf<typeof orders>): OrderSummary => ({
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
export async function* pagesOf<M extends ReadModel>(
  readModels: ReadModelPort,
  model: M,
  where: Where<M>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly RowOf<M>[], void, undefined> {
  let after: RowOf<M> | undefined;
  for (let left = limit; left > 0; left -= pageSize) {
    const size = Math.min(pageSize, left);
    const page = await readModels.find(model, { where, limit: size, ...(after !== undefined && { after }) });
    yield page;
    if (page.length < size) return;
    after = page.at(-1);
  }
}

/** All of {@link pagesOf} together. */
export async function findAll<M extends ReadModel>(...of: Parameters<typeof pagesOf<M>>): Promise<RowOf<M>[]> {
  const rows: RowOf<M>[] = [];
  for await (const page of pagesOf(...of)) for (const row of page) rows.push(row);
  return rows;
}
