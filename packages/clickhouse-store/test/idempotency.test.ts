import {
  type ClickHouse,
  createClickHouseIdempotencyStore,
  type IdempotencyStoreOptions,
} from '@bento-bus/clickhouse-store';
import { describeIdempotencyStore } from '@bento-bus/conformance';
import type { IdempotencyStore } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Engine, thrown, times } from './support/engine.ts';
import { faultyClient } from './support/faulty-client.ts';

const engine = new Engine();
let opened: ClickHouse;
beforeAll(async () => {
  opened = await engine.open();
});
afterAll(() => engine.close());

type Wish = Pick<IdempotencyStoreOptions, 'ttlMs' | 'now'>;
const open = (wish: Wish = {}): Promise<IdempotencyStore> => createClickHouseIdempotencyStore({ ...opened, ...wish });

describeIdempotencyStore(
  { describe, it },
  { name: 'the idempotency store, embedded', createStore: open, createSecond: (_, wish) => open(wish) },
);

describe('the idempotency store', () => {
  it('asks and marks what comes together with one statement each, bounded', async () => {
    const net = faultyClient(opened.client);
    const store = await createClickHouseIdempotencyStore({ client: net.client, database: opened.database });
    net.seen.length = 0;
    await times(1_500, (i) => store.mark(`group-${i % 3}`, [`id-${i}`]));
    const inserts = net.seen.filter((sql) => sql.startsWith('INSERT')).length;
    expect(inserts).toBeGreaterThan(1);
    expect(inserts).toBeLessThan(5);
    net.seen.length = 0;
    const answers = await times(1_500, (i) => store.handled(`group-${i % 3}`, [`id-${i}`, `id-${i + 1}`]));
    expect(answers.every((found, i) => found.size === 1 && found.has(`id-${i}`))).toBe(true);
    expect(net.seen.length).toBeLessThan(8);
  });

  it('rejects what failed, and the next call works', async () => {
    const net = faultyClient(opened.client);
    const store = await createClickHouseIdempotencyStore({ client: net.client, database: opened.database });
    net.inserts.push('request lost');
    net.selects.push('request lost');
    expect(await thrown(store.mark('failing', ['a']))).toMatchObject({ code: 'CONNECTION', retryable: true });
    expect(await thrown(store.handled('failing', ['a']))).toMatchObject({ code: 'CONNECTION', retryable: true });
    await store.mark('failing', ['a']);
    expect((await store.handled('failing', ['a'])).has('a')).toBe(true);
  });

  it('drops what has expired as a whole', async () => {
    const table = `${opened.database}.idempotency`;
    const past = await open({ now: () => Date.now() - 10 * 86_400_000 });
    for (let i = 0; i < 10; i += 1) await past.mark('past', [`id-${i}`]);
    const store = await open();
    for (let i = 0; i < 10; i += 1) await store.mark('present', [`id-${i}`]);
    await opened.client.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
    const result = await opened.client.query({
      query: `SELECT scope, count() FROM ${table} WHERE scope IN ('past', 'present') GROUP BY scope`,
      format: 'JSONCompactEachRow',
    });
    const rows = await result.json<[string, number | string]>();
    expect(rows.map(([scope, count]) => [scope, Number(count)])).toEqual([['present', 10]]);
    expect((await store.handled('present', ['id-0', 'id-9'])).size).toBe(2);
  });

  it('refuses a table that is not ours, and options that make no sense', async () => {
    const database = engine.newDatabase();
    const other = await engine.open({ database });
    await other.client.command({
      query: `CREATE TABLE ${database}.idempotency (id String) ENGINE = MergeTree ORDER BY id`,
    });
    expect(await thrown(createClickHouseIdempotencyStore(other))).toMatchObject({ code: 'CONFIGURATION' });
    expect(await thrown(open({ ttlMs: 5, now: 'x' as never }))).toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/ttlMs must be .* not 5; now must be/),
    });
  });

  it('refuses what UTF-8 cannot hold', async () => {
    const store = await open();
    expect(await thrown(store.mark('x', ['\ud800']))).toMatchObject({ code: 'VALIDATION' });
    expect(await thrown(store.handled('\ud800', ['x']))).toMatchObject({ code: 'VALIDATION' });
  });

  it('waits on close for marks under way', async () => {
    const store = await open();
    const marking = store.mark('closing', ['a']);
    await store.close();
    await marking;
    expect((await (await open()).handled('closing', ['a'])).has('a')).toBe(true);
  });
});
