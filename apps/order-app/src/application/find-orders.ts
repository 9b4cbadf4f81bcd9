import type { ReadModelPort, RowOf, Where } from '@bento-bus/core';
import { orders } from '../read-model/models.ts';
import type { OrderPage, OrderSearch, PageStart } from './queries.ts';
import { pagesOf, summaryOf } from './rows.ts';

type Row = RowOf<typeof orders>;

/** One page of orders. Without `search` it reads what the page shows, and days by number of orders; with it, every row of the filter. */
export async function findOrders(readModels: ReadModelPort, search: OrderSearch): Promise<OrderPage> {
  const { country, status, limit } = search;
  const where = { ...(country !== undefined && { country }), ...(status !== undefined && { status }) };
  // One more tells whether others follow.
  const wanted = { ...search, limit: limit + 1 };
  const { rows, count } =
    search.search !== undefined
      ? await matching(readModels, where, wanted, search.search)
      : search.sorting === 'number'
        ? await byNumber(readModels, where, wanted)
        : await newest(readModels, where, wanted);
  return { orders: rows.slice(0, limit).map(summaryOf), count, more: rows.length > limit };
}

interface Found {
  readonly rows: readonly Row[];
  readonly count: number;
}

async function matching(
  readModels: ReadModelPort,
  where: Where<typeof orders>,
  { sorting, limit, after }: OrderSearch,
  text: string,
): Promise<Found> {
  const part = text.toLowerCase();
  const has = (row: Row): boolean =>
    [row.orderId, row.customerId, row.country, row.tracking].some((value) => value.toLowerCase().includes(part));
  const compare = sorting === 'number' ? byKey : newestFirst;
  let count = 0;
  let rows: readonly Row[] = [];
  for await (const page of pagesOf(readModels, orders, where)) {
    const found = page.filter(has);
    count += found.length;
    rows = firstOf(rows, found, { compare, limit, after });
  }
  return { rows, count };
}

async function byNumber(
  readModels: ReadModelPort,
  where: Where<typeof orders>,
  { limit, after }: OrderSearch,
): Promise<Found> {
  const [all] = await readModels.totals(orders, { sum: [], where });
  const start = after === undefined ? {} : { after: { orderId: after.orderId } };
  return { rows: await readModels.find(orders, { where, limit, ...start }), count: all?.count ?? 0 };
}

/** Rows are kept by key: the days tell where the newest are. */
async function newest(
  readModels: ReadModelPort,
  where: Where<typeof orders>,
  { limit, after }: OrderSearch,
): Promise<Found> {
  const days = await readModels.totals(orders, { by: ['day'], sum: [], where });
  let rows: readonly Row[] = [];
  const last = after === undefined ? undefined : new Date(after.placedAt).toISOString().slice(0, 10);
  for (const { day } of days.toSorted((a, b) => (a.day < b.day ? 1 : -1))) {
    if (last !== undefined && day > last) continue;
    for await (const page of pagesOf(readModels, orders, { ...where, day }))
      rows = firstOf(rows, page, { compare: newestFirst, limit, after });
    if (rows.length >= limit) break;
  }
  return { rows, count: days.reduce((sum, { count }) => sum + count, 0) };
}

interface Wanted {
  readonly compare: (a: PageStart, b: PageStart) => number;
  readonly limit: number;
  readonly after: PageStart | undefined;
}

/** The first `limit` of what was found and of a page, sorted: no more is kept, however many rows there are. */
function firstOf(found: readonly Row[], page: readonly Row[], { compare, limit, after }: Wanted): readonly Row[] {
  const last = found.length < limit ? undefined : found.at(-1);
  const better = page.filter(
    (row) => (after === undefined || compare(row, after) > 0) && (last === undefined || compare(row, last) < 0),
  );
  return better.length === 0 ? found : [...found, ...better].toSorted(compare).slice(0, limit);
}

/** In UTF-8 order, as the read models sort. */
const byKey = (a: Pick<PageStart, 'orderId'>, b: Pick<PageStart, 'orderId'>): number =>
  Buffer.compare(Buffer.from(a.orderId), Buffer.from(b.orderId));
const newestFirst = (a: PageStart, b: PageStart): number => b.placedAt - a.placedAt || byKey(b, a);
