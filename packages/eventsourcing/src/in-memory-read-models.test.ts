import { defineReadModel } from '@bento-bus/core';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createInMemoryReadModels } from './in-memory-read-models.ts';

const sales = defineReadModel({
  name: 'sales',
  version: 1,
  key: ['region', 'id'],
  columns: { region: 'string', id: 'integer', amount: 'decimal', count: 'integer', at: 'time', day: 'date' },
});
const row = { region: 'north', id: 1, amount: '1.50', count: 2, at: 0, day: '2026-02-28' };
const version = (change: Partial<typeof row> = {}, streamVersion = 1): { row: typeof row; streamVersion: number } => ({
  row: { ...row, ...change },
  streamVersion,
});

describe('read models in memory', () => {
  let models = createInMemoryReadModels();

  beforeEach(async () => {
    models = createInMemoryReadModels();
    await models.ensure([sales]);
    await models.ensure([sales]);
  });

  it('keep the row of the highest stream version, in whatever order versions are written', async () => {
    await models.write(sales, [version({ count: 3 }, 3)]);
    await models.write(sales, [version({ count: 2 }, 2), version({ count: 3 }, 3)]);
    expect(await models.get(sales, [{ region: 'north', id: 1 }])).toEqual([
      { row: { ...row, amount: '1.5', count: 3 }, streamVersion: 3 },
    ]);
  });

  it('leave out what is missing and give each key once', async () => {
    await models.write(sales, [version()]);
    const keys = [
      { region: 'north', id: 1 },
      { region: 'north', id: 1 },
      { region: 'south', id: 1 },
    ];
    expect(await models.get(sales, keys)).toHaveLength(1);
  });

  it('find by filter, ordered by key in UTF-8 order, page by page', async () => {
    const regions = ['ä', 'Z', 'a', '\u{1F600}', '\uFFFF'];
    await models.write(
      sales,
      regions.flatMap((region) => [10, 9].map((id) => version({ region, id }))),
    );
    const pages: string[][] = [];
    for (let after: { region: string; id: number } | undefined; ; ) {
      const page = await models.find(sales, { limit: 4, ...(after && { after }) });
      if (page.length === 0) break;
      pages.push(page.map(({ id, region }) => `${region}${id}`));
      after = page.at(-1);
    }
    expect(pages.flat()).toEqual(
      ['Z', 'a', 'ä', '\uFFFF', '\u{1F600}'].flatMap((region) => [`${region}9`, `${region}10`]),
    );
    expect(await models.find(sales, { where: { region: ['Z', 'a'], id: 9 } })).toHaveLength(2);
    expect(await models.find(sales, { where: { amount: '01.500' } })).toHaveLength(10);
    expect(await models.find(sales, { where: { region: [] } })).toEqual([]);
  });

  it('sum exactly, per group and over all', async () => {
    await models.write(sales, [
      version({ id: 1, amount: '0.1', count: 1 }),
      version({ id: 2, amount: '0.2', count: 2 }),
      version({ id: 3, amount: '9007199254740993.0000000001', count: 3 }),
      version({ id: 1, region: 'south', amount: '-0.30', count: -6 }),
    ]);
    expect(await models.totals(sales, { by: ['region'], sum: ['amount'] })).toEqual([
      { region: 'north', amount: '9007199254740993.3000000001', count: 3 },
      { region: 'south', amount: '-0.3', count: 1 },
    ]);
    expect(await models.totals(sales, { sum: ['amount'] })).toEqual([
      { amount: '9007199254740993.0000000001', count: 4 },
    ]);
    expect(await models.totals(sales, { sum: ['amount'], where: { region: 'nowhere' } })).toEqual([
      { amount: '0', count: 0 },
    ]);
    expect(await models.totals(sales, { by: ['region'], sum: ['amount'], where: { region: 'nowhere' } })).toEqual([]);
  });

  it('refuse rows that do not fit their columns, and then write none of the call', async () => {
    const wrong: Record<string, unknown>[] = [
      { region: 1 },
      { region: '\uD800' },
      { id: 1.5 },
      { amount: '1e5' },
      { amount: '' },
      { amount: '0.12345678901' },
      { amount: '12345678901234567890123456789' },
      { at: Date.UTC(1899, 0) },
      { day: '2026-02-30' },
      { day: '2026-2-3' },
      { day: undefined },
      { strange: 1 },
    ];
    for (const change of wrong) {
      const write = models.write(sales, [version({ id: 7 }), version(change as Partial<typeof row>)]);
      await expect(write).rejects.toMatchObject({
        code: 'VALIDATION',
        message: expect.stringContaining(Object.keys(change)[0] ?? ''),
      });
    }
    expect(await models.find(sales)).toEqual([]);
    await models.write(sales, [
      version({ amount: `-${'9'.repeat(28)}.${'9'.repeat(10)}` }),
      version({ id: 2, amount: '-0.00' }),
    ]);
    expect((await models.find(sales)).map(({ amount }) => amount)).toEqual([
      `-${'9'.repeat(28)}.${'9'.repeat(10)}`,
      '0',
    ]);
  });

  it('refuse questions that make no sense', async () => {
    const asked = [
      () => models.totals(sales, { sum: ['region'] }),
      () => models.totals(sales, { by: ['id'], sum: ['id'] }),
      () => models.totals(sales, { sum: ['count'] }),
      () => models.find(sales, { limit: 0 }),
      () => models.find(sales, { where: { nothing: 1 } as object }),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'VALIDATION' });
  });

  it('want ensure first, know one shape a name and version, and are empty after clear', async () => {
    const other = { ...sales, version: 2, columns: { ...sales.columns, more: 'string' } } as const;
    await expect(models.find(other)).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await models.ensure([other]);
    await expect(models.ensure([{ ...other, version: 1 }])).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await models.write(sales, [version()]);
    await models.clear(sales);
    expect(await models.find(sales)).toEqual([]);
  });

  it('are closed once closed', async () => {
    await models.close();
    await expect(models.find(sales)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(models.ensure([sales])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
