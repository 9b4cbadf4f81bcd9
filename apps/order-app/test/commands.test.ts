import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ended, Folders, importJson, resultOf, run } from './cli.ts';
import { writeCsv } from './csv.ts';

const folders = new Folders();
let data: string;
beforeAll(async () => {
  const folder = await folders.make();
  data = join(folder, 'data');
  await writeCsv(join(folder, 'shop.csv'), [
    { invoice: '1', price: '10.00', date: '12/1/10 8:26' },
    { invoice: '2', price: '20.00', date: '12/2/10 8:26' },
    { invoice: '3', price: '30.00', date: '12/2/10 9:00', country: 'Spain' },
    { invoice: 'C4', price: '99.00', quantity: '-1' },
  ]);
  await importJson(join(folder, 'shop.csv'), data);
});
afterAll(() => folders.remove());

const app = (...args: readonly string[]): Promise<Ended> => run([...args, '--data', data]);
const json = async (...args: readonly string[]): Promise<unknown> => resultOf(await app(...args, '--json'));
const refusal = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await app(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  return stderr;
};
const notifications = async (): Promise<{ orderId: string; tracking: string }[]> => {
  const text = await readFile(join(data, 'notifications.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { orderId: string; tracking: string });
};

describe('the commands on orders', () => {
  it('place, pay and ship one, and notify of it', async () => {
    const lines = ['--line', 'A1:2:4.995:MUG: LARGE', '--line', 'B2:1:0.01'];
    const placed = await json('place', 'W-1', '--country', 'Italy', '--customer', '42', ...lines);
    expect(placed).toMatchObject({ orderId: 'W-1', status: 'placed', customerId: '42', total: '10.00' });
    expect(placed).toMatchObject({
      lines: [
        { sku: 'A1', description: 'MUG: LARGE', quantity: 2, unitPrice: '4.995', amount: '9.99' },
        { sku: 'B2', description: '', quantity: 1, unitPrice: '0.01', amount: '0.01' },
      ],
    });
    expect(await refusal('ship', 'W-1')).toBe('order-app: cannot ship "W-1": it is not paid. Pay it first.\n');
    expect(await json('pay', 'W-1')).toMatchObject({ status: 'paid' });
    expect(await json('ship', 'W-1', '--tracking', 'T-1')).toMatchObject({ status: 'shipped', tracking: 'T-1' });
    expect(await notifications()).toMatchObject([
      { orderId: 'W-1', customerId: '42', country: 'Italy', tracking: 'T-1' },
    ]);
    expect(await refusal('place', 'W-1', '--country', 'Italy', '--line', 'A1:1:1')).toContain('it is placed already');
  });

  it('refuse an order that is not there', async () => {
    expect(await refusal('pay', '404')).toContain('cannot pay "404": there is no such order');
    expect(await refusal('show', '404')).toContain('cannot show "404": there is no such order');
  });
});

describe('the queries', () => {
  it('list orders and revenue as JSON', async () => {
    const france = ['--country', 'France', '--status', 'placed', '--limit', '1'];
    expect(await json('orders', ...france)).toMatchObject([{ orderId: '1', total: '10.00' }]);
    expect(await json('orders', '--country', 'Nowhere')).toEqual([]);
    expect(await json('revenue', '--by', 'day')).toEqual([
      { day: '2010-12-01', orders: 1, revenue: '10.00' },
      { day: '2010-12-02', orders: 2, revenue: '50.00' },
      { day: new Date().toISOString().slice(0, 10), orders: 1, revenue: '10.00' },
    ]);
  });

  it('print tables for people, the same after a rebuild', async () => {
    const { stdout, stderr } = await app('orders', '--limit', '1');
    expect(stdout).toBe(
      [
        'Order  Status  Placed (UTC)      Customer  Country  Lines  Total',
        '1      placed  2010-12-01 08:26  17850     France       1  10.00',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe('The first 1 of 4 orders.\n');
    const shown = await app('show', '2');
    expect(shown.stdout).toMatch(/^Status +placed$/m);
    expect(await app('rebuild')).toMatchObject({ code: 0, stderr: 'The read models are built anew.\n' });
    expect(await app('show', '2')).toEqual(shown);
    // An old event notifies nobody again.
    expect(await notifications()).toHaveLength(1);
  });
});
