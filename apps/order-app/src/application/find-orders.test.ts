import { createInMemoryReadModels } from '@bento-bus/eventsourcing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { orders } from '../read-model/models.ts';
import { findOrders } from './find-orders.ts';
import type { OrderSearch } from './queries.ts';

const day = '2026-01-02';
const midnight = Date.parse(day);
const many = 6_000;

const idOf = (i: number): string => `${((i * 7_919) % many) + 100_000}`;

const row = (i: number) => ({
  orderId: idOf(i),
  status: 'placed',
  customerId: i % 2 === 0 ? 'even' : 'odd',
  country: 'France',
  placedAt: midnight + i,
  day,
  lineCount: 1,
  total: '1',
  tracking: '',
});

// More than a page of the read model, on one day: the newest are anywhere among the keys.
describe('orders of a day with many', () => {
  const readModels = createInMemoryReadModels();
  beforeAll(async () => {
    await readModels.ensure([orders]);
    await readModels.write(
      orders,
      Array.from({ length: many }, (_, i) => ({ row: row(i), streamVersion: 1 })),
    );
  });

  const found = async (search: Partial<OrderSearch>) => {
    const page = await findOrders(readModels, { sorting: 'newest', limit: 3, ...search });
    return { ...page, orders: page.orders.map(({ orderId }) => orderId) };
  };

  it('come newest first, from anywhere on', async () => {
    expect(await found({})).toEqual({ orders: [5_999, 5_998, 5_997].map(idOf), count: many, more: true });
    const after = { placedAt: midnight + 3_000, orderId: idOf(3_000) };
    expect((await found({ after })).orders).toEqual([2_999, 2_998, 2_997].map(idOf));
    const nearlyLast = { placedAt: midnight + 2, orderId: idOf(2) };
    expect(await found({ after: nearlyLast })).toEqual({ orders: [1, 0].map(idOf), count: many, more: false });
  });

  it('are counted and sorted by a search too', async () => {
    expect(await found({ search: 'EVEN' })).toEqual({
      orders: [5_998, 5_996, 5_994].map(idOf),
      count: many / 2,
      more: true,
    });
    const { orders: first } = await found({ search: 'e', sorting: 'number' });
    expect(first).toEqual(['100000', '100001', '100002']);
  });
});
