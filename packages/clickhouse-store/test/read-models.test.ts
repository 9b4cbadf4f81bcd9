import type { ClickHouse } from '@bento-bus/clickhouse-store';
import { defineReadModel, type ReadModel, type ReadModelStore, type RowOf } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Engine, thrown, times } from './support/engine.ts';

const engine = new Engine();
let opened: ClickHouse;
let store: ReadModelStore;
beforeAll(async () => {
  opened = await engine.open();
  store = opened.readModels;
});
afterAll(() => engine.close());

const lines = defineReadModel({
  name: 'lines',
  version: 1,
  key: ['orderId', 'line'],
  columns: { orderId: 'string', line: 'integer', sku: 'string', amount: 'decimal', at: 'time', day: 'date' },
});
type Line = RowOf<typeof lines>;
const line = (over: Partial<Line> = {}): Line => ({
  orderId: 'o',
  line: 1,
  sku: 's',
  amount: '0',
  at: 0,
  day: '2026-01-31',
  ...over,
});
const rows = (...list: readonly Line[]): { row: Line; streamVersion: number }[] =>
  list.map((row) => ({ row, streamVersion: 1 }));

/** A model of its own for one test. */
async function fresh(name: string): Promise<typeof lines> {
  const model = { ...lines, name };
  await store.ensure([model]);
  return model;
}

describe('rows', () => {
  it('come back as they were written, whatever is in them', async () => {
    const model = await fresh('as_written');
    const written = [
      line({ orderId: 'a\'b\\c"`\n\t\u0000{x:String};😀', line: Number.MIN_SAFE_INTEGER, amount: '-0.0000000001' }),
      line({ orderId: 'b', line: Number.MAX_SAFE_INTEGER, amount: '9999999999999999999999999999.9999999999' }),
      line({ orderId: 'c', at: Date.UTC(1900, 0, 1), day: '1900-01-01', amount: '-1' }),
      line({ orderId: 'd', at: Date.UTC(2299, 11, 31, 23, 59, 59, 999), day: '2299-12-31', amount: '1234.5' }),
      line({ orderId: '', sku: '', at: 1_700_000_000_123, day: '2024-02-29' }),
    ];
    await store.write(model, rows(...written));
    const found = await store.find(model);
    expect(found).toEqual(written.toSorted((a, b) => Buffer.compare(Buffer.from(a.orderId), Buffer.from(b.orderId))));
    expect(
      (await store.get(model, written)).map(({ row }) => row).toSorted((a, b) => a.line - b.line || a.at - b.at),
    ).toHaveLength(5);
  });

  it('of one key: the highest stream version counts, however often and in whatever order they were written', async () => {
    const model = await fresh('versions');
    for (const streamVersion of [2, 5, 1, 5, 3])
      await store.write(model, [{ row: line({ sku: `v${streamVersion}` }), streamVersion }]);
    await store.write(
      model,
      [3, 6, 4].map((streamVersion) => ({ row: line({ sku: `v${streamVersion}` }), streamVersion })),
    );
    expect(await store.get(model, [line()])).toEqual([{ row: line({ sku: 'v6' }), streamVersion: 6 }]);
    expect(await store.find(model)).toHaveLength(1);
    expect(await store.totals(model, { sum: ['line'] })).toEqual([{ line: '1', count: 1 }]);
  });

  it('that do not fit are refused, all faults in one error, and nothing is written', async () => {
    const model = await fresh('refused');
    const bad = {
      ...line({ amount: '0.12345678901', line: 1.5, day: '2026-02-30', at: Number.NaN }),
      extra: 1,
    } as Line;
    const error = await thrown(store.write(model, [...rows(line()), ...rows(bad)]));
    expect(error).toMatchObject({
      code: 'VALIDATION',
      issues: ['extra', 'line', 'amount', 'at', 'day'].map((column) => ({
        path: `rows[1].row.${column}`,
        message: expect.any(String),
      })),
    });
    expect(await store.find(model)).toEqual([]);
    for (const amount of ['1e3', '', '.5', '+1', '1.', '0x1', 'NaN', '12345678901234567890123456789'])
      expect(await thrown(store.write(model, rows(line({ amount }))))).toMatchObject({ code: 'VALIDATION' });
  });

  it('by the ten thousand are written and read in pages after a key', async () => {
    const model = await fresh('pages');
    const many = Array.from({ length: 10_000 }, (_, i) =>
      line({ orderId: `o-${String(i % 100).padStart(3, '0')}`, line: i, amount: `${i}.01` }),
    );
    await store.write(model, rows(...many));
    const seen: Line[] = [];
    for (let page = await store.find(model, { limit: 3_000 }); page.length > 0; ) {
      seen.push(...page);
      const after = seen.at(-1) ?? line();
      page = await store.find(model, { limit: 3_000, after });
    }
    expect(seen.map(({ line: n }) => n)).toEqual(
      many
        .toSorted((a, b) => (a.orderId === b.orderId ? a.line - b.line : a.orderId < b.orderId ? -1 : 1))
        .map(({ line: n }) => n),
    );
    expect(await store.find(model)).toHaveLength(100);
    expect(await store.get(model, many.slice(0, 2_500))).toHaveLength(2_500);
  });
});

describe('filters', () => {
  it('match by equality, any of several, every type, and combine', async () => {
    const model = await fresh('filters');
    const three = [1, 2, 3].map((n) => line({ line: n, sku: `s${n}`, amount: `${n}.5`, at: n, day: `2026-01-0${n}` }));
    await store.write(model, rows(...three));
    const found = async (
      where: NonNullable<Parameters<typeof store.find<typeof model>>[1]>['where'],
    ): Promise<number[]> => (await store.find(model, { ...(where && { where }) })).map(({ line: n }) => n);
    expect(await found({ sku: 's2' })).toEqual([2]);
    expect(await found({ sku: ['s1', 's3', 'none'] })).toEqual([1, 3]);
    expect(await found({ amount: '2.50' })).toEqual([2]);
    expect(await found({ amount: ['1.5', '03.5'] })).toEqual([1, 3]);
    expect(await found({ at: [2, 3], day: '2026-01-03' })).toEqual([3]);
    expect(await found({ line: 1, orderId: 'o' })).toEqual([1]);
    for (const empty of [{ sku: [] }, { amount: [] }, { at: [] }, { line: [] }, { day: [] }])
      expect(await found(empty)).toEqual([]);
    expect(await found({ sku: "s1' OR 1=1 --" })).toEqual([]);
    expect(await found({})).toEqual([1, 2, 3]);
    const bad = [{ nope: 1 }, { line: '1' }, { amount: 1 }, { 'sku` OR 1=1 --': 's1' }] as unknown as { sku: string }[];
    for (const where of bad) expect(await thrown(store.find(model, { where }))).toMatchObject({ code: 'VALIDATION' });
    for (const limit of [0, 1.5, 1_000_000])
      expect(await thrown(store.find(model, { limit }))).toMatchObject({ code: 'VALIDATION' });
    expect(await thrown(store.get(model, [{ orderId: 'o' }]))).toMatchObject({ code: 'VALIDATION' });
    expect(await store.get(model, [])).toEqual([]);
  });
});

describe('totals', () => {
  it('are exact: 0.1 + 0.2, 38 digits, more than 64 bits', async () => {
    const model = await fresh('exact');
    await store.write(model, rows(line({ line: 1, amount: '0.1' }), line({ line: 2, amount: '0.2' })));
    expect(await store.totals(model, { sum: ['amount'] })).toEqual([{ amount: '0.3', count: 2 }]);
    const huge = '9999999999999999999999999999.9999999999';
    await store.write(
      model,
      rows(...[1, 2, 3].map((n) => line({ line: Number.MAX_SAFE_INTEGER - n, sku: 'huge', amount: huge }))),
    );
    expect(await store.totals(model, { by: ['sku'], sum: ['amount', 'line'] })).toEqual([
      { sku: 'huge', amount: '29999999999999999999999999999.9999999997', line: '27021597764222967', count: 3 },
      { sku: 's', amount: '0.3', line: '3', count: 2 },
    ]);
  });

  it('group by columns of every type, count each row once, and filter', async () => {
    const model = await fresh('grouped');
    const list = [
      line({ line: 1, amount: '1.10', at: 5, day: '2026-01-01' }),
      line({ line: 2, amount: '2.20', at: 5, day: '2026-01-01' }),
      line({ line: 3, amount: '-0.30', at: -7, day: '2026-01-02' }),
    ];
    for (let i = 0; i < 3; i += 1) await store.write(model, rows(...list));
    expect(await store.totals(model, { by: ['day', 'at'], sum: ['amount'] })).toEqual([
      { day: '2026-01-01', at: 5, amount: '3.3', count: 2 },
      { day: '2026-01-02', at: -7, amount: '-0.3', count: 1 },
    ]);
    expect(await store.totals(model, { sum: ['amount'], where: { at: 5 } })).toEqual([{ amount: '3.3', count: 2 }]);
    expect(await store.totals(model, { sum: ['amount', 'line'], where: { sku: 'none' } })).toEqual([
      { amount: '0', line: '0', count: 0 },
    ]);
    expect(await store.totals(model, { by: ['amount'], sum: [] })).toEqual([
      { amount: '-0.3', count: 1 },
      { amount: '1.1', count: 1 },
      { amount: '2.2', count: 1 },
    ]);
    for (const sum of [['sku'], ['day'], ['nope']] as unknown as 'amount'[][])
      expect(await thrown(store.totals(model, { sum }))).toMatchObject({ code: 'VALIDATION' });
  });
});

describe('tables', () => {
  it('are made once by several at once; a model used before is a clear error', async () => {
    const model = { ...lines, name: 'made_late' };
    expect(await thrown(store.find(model))).toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('ensure()'),
    });
    expect(await thrown(store.write(model, rows(line())))).toMatchObject({ code: 'CONFIGURATION' });
    await times(6, () => store.ensure([model, lines]));
    await store.ensure([]);
    expect(await store.find(model)).toEqual([]);
  });

  it('of a changed definition are refused until its version is raised', async () => {
    const one: ReadModel = { name: 'changing', version: 1, key: ['id'], columns: { id: 'string', n: 'integer' } };
    await store.ensure([one]);
    for (const [changed, text] of [
      [{ ...one, columns: { ...one.columns, more: 'string' } }, /other columns \(more\)/],
      [{ ...one, columns: { id: 'string' } }, /other columns \(n\)/],
      [{ ...one, columns: { id: 'string', n: 'decimal' } }, /other columns \(n\)/],
      [{ ...one, key: ['id', 'n'] }, /another key \(id\)/],
    ] as const satisfies readonly (readonly [ReadModel, RegExp])[])
      expect(await thrown(store.ensure([changed]))).toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringMatching(text),
      });
    await store.ensure([{ ...one, version: 2, columns: { id: 'string', n: 'decimal' } }]);
  });

  it('of somebody else are refused', async () => {
    await opened.client.command({
      query: `CREATE TABLE ${opened.database}.theirs_v1 (id String, stream_version UInt64) ENGINE = MergeTree ORDER BY id`,
    });
    const theirs: ReadModel = { name: 'theirs', version: 1, key: ['id'], columns: { id: 'string' } };
    expect(await thrown(store.ensure([theirs]))).toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('there is a table of this name that Bento Bus did not make'),
    });
  });

  it('are emptied by clear, and filled again', async () => {
    const model = await fresh('cleared');
    await store.write(model, rows(line()));
    await store.clear(model);
    expect(await store.find(model)).toEqual([]);
    await store.write(model, rows(line()));
    expect(await store.find(model)).toHaveLength(1);
  });

  it('need a definition that can be one: every fault is named', async () => {
    const bad = {
      name: 'x; DROP',
      version: 0,
      key: ['a', 'a', 'b'],
      columns: { a: 'text', 'c d': 'string', stream_version: 'integer' },
    } as unknown as ReadModel;
    const error = await thrown(store.ensure([bad]));
    for (const part of ['its name', 'its version', '"text"', '"c d"', '"stream_version" is reserved', 'twice', '"b"'])
      expect(error.message).toContain(part);
    expect(error.code).toBe('CONFIGURATION');
  });
});
