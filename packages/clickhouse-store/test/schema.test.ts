import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ClickHouse,
  createClickHouseCheckpointStore,
  createClickHouseEventStore,
  createClickHouseReadModels,
  openClickHouse,
} from '@bento-bus/clickhouse-store';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { all, Engine, newEvents, order, thrown, times } from './support/engine.ts';

const engine = new Engine();
let keepAlive: ClickHouse;
beforeAll(async () => {
  keepAlive = await engine.open();
});
afterAll(() => engine.close());

const run = (query: string): Promise<unknown> => keepAlive.client.command({ query });
async function rows(query: string): Promise<unknown[]> {
  return (await keepAlive.client.query({ query, format: 'JSONCompactEachRow' })).json<unknown>();
}
/** A database made by hand. */
async function madeByHand(...statements: readonly ((database: string) => string)[]): Promise<string> {
  const database = engine.newDatabase();
  await run(`CREATE DATABASE ${database} ENGINE = Atomic`);
  for (const statement of statements) await run(statement(database));
  return database;
}

describe('the schema', () => {
  it('is made once by eight clients at once, who all see one identity', async () => {
    const database = engine.newDatabase();
    const opened = await times(8, () => engine.open({ database }));
    expect(new Set(opened.map(({ eventStore }) => eventStore.identity)).size).toBe(1);
    expect(await rows(`SELECT key, count() FROM ${database}.bento_meta GROUP BY key ORDER BY key`)).toEqual([
      ['identity', 1],
      ['schema', 1],
    ]);
  });

  it('has the twelve columns of the log, in UTC, partitioned by ranges of batches', async () => {
    const { database } = await engine.open({ batchesPerPartition: 7 });
    expect(
      await rows(
        `SELECT name, type FROM system.columns WHERE database = '${database}' AND table = 'events' ORDER BY position`,
      ),
    ).toEqual([
      ['event_id', 'String'],
      ['event_type', 'LowCardinality(String)'],
      ['aggregate_id', 'String'],
      ['aggregate_type', 'LowCardinality(String)'],
      ['version', 'UInt32'],
      ['payload', 'String'],
      ['metadata', 'String'],
      ['timestamp', "DateTime64(3, 'UTC')"],
      ['_ingest_time', "DateTime64(6, 'UTC')"],
      ['batch', 'UInt64'],
      ['idx', 'UInt32'],
      ['writer', 'String'],
    ]);
    const [table] = await rows(
      `SELECT engine, partition_key, sorting_key, engine_full FROM system.tables WHERE database = '${database}' AND name = 'events'`,
    );
    expect(table).toEqual([
      'MergeTree',
      'intDiv(batch, 7)',
      'aggregate_type, aggregate_id, version',
      expect.stringContaining('non_replicated_deduplication_window = 100000'),
    ]);
  });

  it('is not made with create: false, which opens what is there', async () => {
    const database = engine.newDatabase();
    const look = { database, create: false } as const;
    const databases = (): Promise<unknown[]> => rows(`SELECT name FROM system.databases WHERE name = '${database}'`);
    const none = await thrown(engine.open(look));
    expect(none).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining('it does not exist') });
    expect(await databases()).toEqual([]);
    await run(`CREATE DATABASE ${database} ENGINE = Atomic`);
    expect((await thrown(engine.open(look))).message).toContain('it has no tables of Bento Bus');
    expect(await rows(`SELECT name FROM system.tables WHERE database = '${database}'`)).toEqual([]);
    const made = await engine.open({ database });
    await made.eventStore.saveEvents(order('x'), newEvents(2), 0);
    const opened = await engine.open(look);
    expect(opened.eventStore.identity).toBe(made.eventStore.identity);
    expect(await all(opened.eventStore.getEvents(order('x')))).toHaveLength(2);
    const path = join(engine.path, 'none');
    expect((await thrown(openClickHouse({ path, create: false }))).message).toContain('it does not exist');
    expect(existsSync(path)).toBe(false);
  });

  it('stays as it is when opened again; identity, events and checkpoints with it', async () => {
    const database = engine.newDatabase();
    const first = await engine.open({ database });
    await first.eventStore.saveEvents(order('x'), newEvents(2), 0);
    await first.checkpoints.write('a', '1');
    const again = await engine.open({ database, batchesPerPartition: 5 });
    expect(again.eventStore.identity).toBe(first.eventStore.identity);
    expect(await all(again.eventStore.getEvents(order('x')))).toHaveLength(2);
    expect(await again.checkpoints.read('a')).toBe('1');
    expect((await engine.open()).eventStore.identity).not.toBe(first.eventStore.identity);
  });

  it('comes with each store used alone on a client of the user, which stays open', async () => {
    const database = engine.newDatabase();
    const { client } = keepAlive;
    const store = await createClickHouseEventStore({ client, database });
    const checkpoints = await createClickHouseCheckpointStore({ client, database });
    const models = await createClickHouseReadModels({ client, database });
    const opened = await openClickHouse({ client, database });
    expect(opened).toMatchObject({ client, database, embedded: false, eventStore: { identity: store.identity } });
    await store.saveEvents(order('x'), newEvents(1), 0);
    await Promise.all([store.close(), checkpoints.close(), models.close(), opened.close()]);
    expect(await rows(`SELECT count() FROM ${database}.events`)).toEqual([[1]]);
  });
});

describe('a database that is not ours is refused, in one line, and nothing in it changes', () => {
  const cases: readonly (readonly [why: string, make: () => Promise<string>, text: RegExp])[] = [
    [
      'a table events of somebody else',
      () => madeByHand((name) => `CREATE TABLE ${name}.events (id UInt64) ENGINE = MergeTree ORDER BY id`),
      /cannot prepare database "\w+": it has a table events that Bento Bus did not make\. Use another database\.$/,
    ],
    [
      'a table bento_meta of somebody else',
      () => madeByHand((name) => `CREATE TABLE ${name}.bento_meta (id UInt64) ENGINE = MergeTree ORDER BY id`),
      /it has a table bento_meta that Bento Bus did not make/,
    ],
    [
      'a newer schema',
      async () => {
        const { database } = await engine.open();
        await run(`INSERT INTO ${database}.bento_meta (key, value) VALUES ('schema', '3')`);
        return database;
      },
      /its schema has version 3, this code knows 1\. Upgrade @bento-bus\/clickhouse-store\./,
    ],
    [
      'a lost log',
      async () => {
        const { database } = await engine.open();
        await run(`DROP TABLE ${database}.events`);
        return database;
      },
      /it has lost its table events/,
    ],
    [
      'a lost meta table',
      async () => {
        const { database } = await engine.open();
        await run(`DROP TABLE ${database}.bento_meta`);
        return database;
      },
      /it has lost its table bento_meta/,
    ],
    [
      'a log with a column of another type',
      async () => {
        const { database } = await engine.open();
        await run(`ALTER TABLE ${database}.events MODIFY COLUMN timestamp DateTime64(3) SETTINGS alter_sync = 2`);
        return database;
      },
      /table events has other columns than Bento Bus made \(timestamp\)/,
    ],
  ];
  it.each(cases)('%s', async (_, make, text) => {
    const database = await make();
    const before = await rows(
      `SELECT name, create_table_query FROM system.tables WHERE database = '${database}' ORDER BY name`,
    );
    const error = await thrown(engine.open({ database }));
    expect(error).toMatchObject({ code: 'CONFIGURATION', retryable: false, message: expect.stringMatching(text) });
    expect(error.message).not.toContain('\n');
    expect(
      await rows(`SELECT name, create_table_query FROM system.tables WHERE database = '${database}' ORDER BY name`),
    ).toEqual(before);
  });

  it('but one with other tables of the user is shared', async () => {
    const database = await madeByHand((name) => `CREATE TABLE ${name}.mine (id UInt64) ENGINE = MergeTree ORDER BY id`);
    const { eventStore } = await engine.open({ database });
    await expect(eventStore.saveEvents(order('x'), newEvents(1), 0)).resolves.toBe('0000000000000001-00000000');
  });
});

const beside = (name: string): string => join(engine.path, '..', name);
/** One line of the error, once it is known to be the right kind. */
async function refusal(path: string): Promise<string> {
  const { code, message } = await thrown(openClickHouse({ path }));
  expect(code).toBe('CONFIGURATION');
  return message;
}

describe('a data directory', () => {
  it('with files of somebody else is refused and not touched', async () => {
    await mkdir(beside('foreign'));
    await writeFile(beside('foreign/letters.txt'), 'dear');
    expect(await refusal(beside('foreign'))).toMatch(
      /cannot open the data directory ".*foreign": it has files that are not of Bento Bus\. Use an empty or a new directory\.$/,
    );
    expect(await readdir(beside('foreign'))).toEqual(['letters.txt']);
    expect(await readFile(beside('foreign/letters.txt'), 'utf8')).toBe('dear');
  });

  it('that is a file, or below one, is refused', async () => {
    await writeFile(beside('file'), 'x');
    expect(await refusal(beside('file'))).toMatch(/it is not a directory/);
    expect(await refusal(beside('file/below'))).toMatch(/it is not a directory/);
  });

  it('beside the one that is open in this process is refused by name of the cause', async () => {
    expect(await refusal(beside('second'))).toMatch(
      /this process has the embedded engine open on another directory\. Close that first/,
    );
  });

  it('is made with its parents, and has its mark before the engine opens it', () => {
    expect(existsSync(join(engine.path, 'bento-bus.json'))).toBe(true);
  });
});
