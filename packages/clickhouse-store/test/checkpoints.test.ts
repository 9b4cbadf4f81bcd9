import { type ClickHouse, createClickHouseCheckpointStore } from '@bento-bus/clickhouse-store';
import type { CheckpointStore } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Engine, thrown, times } from './support/engine.ts';
import { faultyClient } from './support/faulty-client.ts';

const engine = new Engine();
let opened: ClickHouse;
let store: CheckpointStore;
beforeAll(async () => {
  opened = await engine.open();
  store = opened.checkpoints;
});
afterAll(() => engine.close());

describe('the checkpoint store', () => {
  it('gives what was written last, and undefined for what was never written', async () => {
    await store.write('a', '1');
    await store.write('a', '2');
    await store.write("b'\\{x:String}", 'é😀\u0000\n');
    expect(await store.read('a')).toBe('2');
    expect(await store.read("b'\\{x:String}")).toBe('é😀\u0000\n');
    expect(await store.read('c')).toBeUndefined();
    await store.write('a', '');
    expect(await store.read('a')).toBe('');
  });

  it('keeps the order of writes of one name in one turn, and stores those of one turn with one insert', async () => {
    const net = faultyClient(opened.client);
    const own = await createClickHouseCheckpointStore({ client: net.client, database: opened.database });
    net.seen.length = 0;
    await times(300, (i) => own.write(`turn-${i % 100}`, String(i)));
    expect(net.seen.filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1);
    expect(await own.read('turn-7')).toBe('207');
  });

  it('has the last write although the clock has gone back since another process wrote', async () => {
    await store.write('clock', 'before');
    const clock = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const other = await createClickHouseCheckpointStore({ client: opened.client, database: opened.database });
    await other.write('clock', 'after');
    await other.write('clock', 'last');
    clock.mockRestore();
    expect(await store.read('clock')).toBe('last');
  });

  it('stays a handful of parts and rows through 150 writes in a row', async () => {
    for (let i = 0; i < 150; i += 1) await store.write(`busy-${i % 4}`, String(i));
    expect(await times(4, (i) => store.read(`busy-${i}`))).toEqual(['148', '149', '146', '147']);
    const result = await opened.client.query({
      query: `SELECT count() FROM system.parts WHERE active AND database = '${opened.database}' AND table = 'checkpoints'`,
      format: 'JSONCompactEachRow',
    });
    const [[parts] = []] = await result.json<[number | string]>();
    expect(Number(parts)).toBeLessThan(40);
  });

  it('rejects a write that failed, and the next one of that name works', async () => {
    const net = faultyClient(opened.client);
    const own = await createClickHouseCheckpointStore({ client: net.client, database: opened.database });
    net.inserts.push('request lost');
    expect(await thrown(own.write('x', '1'))).toMatchObject({ code: 'CONNECTION', retryable: true });
    await own.write('x', '2');
    expect(await own.read('x')).toBe('2');
  });

  it('refuses what UTF-8 cannot hold', async () => {
    expect(await thrown(store.write('\ud800', 'x'))).toMatchObject({ code: 'VALIDATION' });
  });

  it('waits on close for writes under way; afterwards it is CLOSED', async () => {
    const own = await createClickHouseCheckpointStore({ client: opened.client, database: opened.database });
    const writing = own.write('closing', '1');
    await own.close();
    await writing;
    expect(await thrown(own.write('closing', '2'))).toMatchObject({ code: 'CLOSED' });
    expect(await thrown(own.read('closing'))).toMatchObject({ code: 'CLOSED' });
    expect(await store.read('closing')).toBe('1');
  });
});
