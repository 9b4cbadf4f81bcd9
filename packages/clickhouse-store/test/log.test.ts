import { EventEmitter, once } from 'node:events';
import { type ClickHouse, createClickHouseEventStore } from '@bento-bus/clickhouse-store';
import type { EventStore, Logger, NewEvent } from '@bento-bus/core';
import { silentLogger } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { all, dataOf, Engine, newEvent, newEvents, order, thrown, times } from './support/engine.ts';
import { type FaultyClient, faultyClient } from './support/faulty-client.ts';

const engine = new Engine();
let keepAlive: ClickHouse;
beforeAll(async () => {
  keepAlive = await engine.open();
});
afterAll(() => engine.close());

/** Retries as a unit of work would: load, decide, save. Returns how often it lost. */
async function append(store: EventStore, id: string, event: NewEvent): Promise<number> {
  for (let lost = 0; ; lost += 1) {
    const version = (await all(store.getEvents(order(id)))).length;
    try {
      await store.saveEvents(order(id), [event], version);
      return lost;
    } catch (error) {
      if ((error as { code?: string }).code !== 'CONCURRENCY') throw error;
    }
  }
}

async function expectWhole(store: EventStore, id: string, written: readonly NewEvent[]): Promise<void> {
  const stored = await all(store.getEvents(order(id)));
  expect(stored.map(({ streamVersion }) => streamVersion)).toEqual(written.map((_, i) => i + 1));
  expect(stored.map((event) => event.id).toSorted()).toEqual(written.map((event) => event.id).toSorted());
  const log = (await all(store.readAll(''))).filter(({ stream }) => stream.id === id);
  expect(log.map((event) => event.id)).toEqual(stored.map((event) => event.id));
}

describe('concurrent writers', () => {
  it('50 on one stream with the same expected version: exactly one wins, the others get a ConcurrencyError', async () => {
    const { eventStore } = await engine.open();
    const outcomes = await Promise.allSettled(
      newEvents(50).map((event) => eventStore.saveEvents(order('once'), [event], 0)),
    );
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toHaveLength(49);
    for (const reason of refused)
      expect(reason).toMatchObject({ code: 'CONCURRENCY', expectedVersion: 0, actualVersion: 1 });
    expect(await all(eventStore.getEvents(order('once')))).toHaveLength(1);
  });

  it('50 from four clients on one engine: one winner a version, none lost, batches without a gap', async () => {
    const database = engine.newDatabase();
    const clients = await times(4, () => engine.open({ database }));
    expect(new Set(clients.map(({ eventStore }) => eventStore.identity)).size).toBe(1);
    const events = newEvents(50);
    await Promise.all(
      events.map((event, i) => append(clients[i % 4]?.eventStore ?? keepAlive.eventStore, 'hot', event)),
    );
    const [first] = clients;
    await expectWhole(first?.eventStore ?? keepAlive.eventStore, 'hot', events);
    const rows = await select(
      keepAlive,
      `SELECT batch, uniqExact(writer) FROM ${database}.events GROUP BY batch ORDER BY batch`,
    );
    expect(rows).toEqual(rows.map((_, i) => [i + 1, 1]));
  });
});

describe('a save', () => {
  it('that follows another one of its stream in the same turn is validated after it', async () => {
    const { eventStore } = await engine.open();
    const positions = await times(5, (i) => eventStore.saveEvents(order('chain'), newEvents(1), i));
    expect(positions).toEqual(positions.toSorted());
    expect(await all(eventStore.getEvents(order('chain')))).toHaveLength(5);
  });

  it('ahead of what this writer knows is judged only after a look at what others wrote', async () => {
    const database = engine.newDatabase();
    const [a, b] = await times(2, () => engine.open({ database }));
    if (a === undefined || b === undefined) throw new Error('not open');
    await a.eventStore.saveEvents(order('x'), newEvents(1), 0);
    await b.eventStore.saveEvents(order('x'), newEvents(2), 1);
    await a.eventStore.saveEvents(order('x'), newEvents(1), 3);
    expect(await thrown(a.eventStore.saveEvents(order('x'), newEvents(1), 9))).toMatchObject({ actualVersion: 4 });
  });

  it('by a writer that slept through 65 batches of another finds its heads again', async () => {
    const database = engine.newDatabase();
    const [sleeper, busy] = await times(2, () => engine.open({ database }));
    if (sleeper === undefined || busy === undefined) throw new Error('not open');
    await sleeper.eventStore.saveEvents(order('x'), newEvents(1), 0);
    for (let i = 0; i < 65; i += 1) await busy.eventStore.saveEvents(order('x'), newEvents(1), i + 1);
    expect(await thrown(sleeper.eventStore.saveEvents(order('x'), newEvents(1), 1))).toMatchObject({
      code: 'CONCURRENCY',
    });
    await sleeper.eventStore.saveEvents(order('x'), newEvents(1), 66);
    expect(await all(busy.eventStore.getEvents(order('x')))).toHaveLength(67);
  });

  it('of the same ids at the same version is a success with the first position, also by another writer and after later events', async () => {
    const database = engine.newDatabase();
    const [a, b] = await times(2, () => engine.open({ database }));
    if (a === undefined || b === undefined) throw new Error('not open');
    const events = newEvents(3);
    const position = await a.eventStore.saveEvents(order('x'), events, 0);
    await a.eventStore.saveEvents(order('x'), newEvents(2), 3);
    expect(await b.eventStore.saveEvents(order('x'), events, 0)).toBe(position);
    expect(await a.eventStore.saveEvents(order('x'), events, 0)).toBe(position);
    // A part of it, or the same ids elsewhere, is another save.
    for (const [part, version] of [
      [events.slice(1), 0],
      [[...events, newEvent()], 0],
      [events.toReversed(), 0],
    ] as const)
      expect(await thrown(b.eventStore.saveEvents(order('x'), part, version))).toMatchObject({ code: 'CONCURRENCY' });
    expect(await all(a.eventStore.getEvents(order('x')))).toHaveLength(5);
  });

  it('of 40,000 events is one block, stored in one part, and can be retried', async () => {
    const opened = await engine.open();
    const events = newEvents(40_000);
    const position = await opened.eventStore.saveEvents(order('large'), events, 0);
    const rows = await select(
      opened,
      `SELECT batch, count(), uniqExact(_part), max(idx) FROM ${opened.database}.events GROUP BY batch`,
    );
    expect(rows).toEqual([[1, 40_000, 1, 39_999]]);
    expect(await opened.eventStore.saveEvents(order('large'), events, 0)).toBe(position);
    expect(await thrown(opened.eventStore.saveEvents(order('larger'), newEvents(100_001), 0))).toMatchObject({
      code: 'OVERSIZE',
    });
  });
});

/** Two writers on a log whose window is two batches instead of 100,000; the first one sleeps through five batches of the other. */
async function overtaken(): Promise<{ sleeper: ClickHouse; busy: ClickHouse }> {
  const database = engine.newDatabase();
  const [sleeper, busy] = await times(2, () => engine.open({ database }));
  if (sleeper === undefined || busy === undefined) throw new Error('not open');
  await sleeper.client.command({
    query: `ALTER TABLE ${database}.events MODIFY SETTING non_replicated_deduplication_window = 2`,
  });
  await sleeper.eventStore.saveEvents(order('x'), newEvents(1), 0);
  for (let i = 0; i < 5; i += 1) await busy.eventStore.saveEvents(order('y'), newEvents(1), i);
  return { sleeper, busy };
}

describe('a writer behind the window in which the server remembers tokens', () => {
  it('looks at the log before it writes once it has slept for ten seconds', async () => {
    const { sleeper, busy } = await overtaken();
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 11_000);
    expect(await sleeper.eventStore.saveEvents(order('x'), newEvents(1), 1)).toBe('0000000000000007-00000000');
    clock.mockRestore();
    await expectVersions(busy.eventStore, { x: 2, y: 5 });
  });

  it('otherwise finds two writers in the batch and says so, loudly', async () => {
    const { sleeper } = await overtaken();
    expect(await thrown(sleeper.eventStore.saveEvents(order('x'), newEvents(1), 1))).toMatchObject({
      code: 'CONFIGURATION',
      retryable: false,
      message: expect.stringContaining('batch 2 has 2 writers'),
    });
  });
});

describe('a token that outlived its rows', () => {
  const warnings: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, fields) => void warnings.push(fields) };

  it('is dropped by the server, and the next suffix is stored', async () => {
    const database = engine.newDatabase();
    const first = await engine.open({ database });
    await first.eventStore.saveEvents(order('kept'), newEvents(1), 0);
    for (const [orphans, position] of [
      [1, '0000000000000002-00000000'],
      [2, '0000000000000002-00000000'],
    ] as const) {
      await first.eventStore.saveEvents(order(`lost-${orphans}`), newEvents(2), 0);
      await deleteBatch(first, 'batch >= 2');
      // A writer that opens now sees the log end at batch 1, and the tokens of batch 2 are known.
      const later = await engine.open({ database, logger });
      warnings.length = 0;
      expect(await later.eventStore.saveEvents(order('mine'), newEvents(1), 0)).toBe(position);
      expect(warnings).toEqual(Array.from({ length: orphans }, (_, i) => ({ database, batch: 2, orphans: i + 1 })));
      expect((await all(later.eventStore.readAll(''))).map(({ stream }) => stream.id)).toEqual(['kept', 'mine']);
      await deleteBatch(first, 'batch >= 2');
    }
  });

  it('has one winner among writers that meet it at once', async () => {
    const database = engine.newDatabase();
    const first = await engine.open({ database });
    await first.eventStore.saveEvents(order('lost'), newEvents(1), 0);
    await deleteBatch(first, 'batch >= 1');
    const clients = await times(4, () => engine.open({ database }));
    const events = newEvents(8);
    await Promise.all(events.map((event, i) => append(clients[i % 4]?.eventStore ?? first.eventStore, 'hot', event)));
    const [reader] = clients;
    if (reader !== undefined) await expectWhole(reader.eventStore, 'hot', events);
    const rows = await select(
      first,
      `SELECT batch, uniqExact(writer) FROM ${database}.events GROUP BY batch ORDER BY batch`,
    );
    expect(rows).toEqual(rows.map((_, i) => [i + 1, 1]));
  });
});

async function open(): Promise<{ net: FaultyClient; store: EventStore; database: string }> {
  const { client, database } = await engine.open();
  const net = faultyClient(client);
  return { net, database, store: await createClickHouseEventStore({ client: net.client, database }) };
}

describe('on a network that fails', () => {
  it('an insert whose answer was lost is read back: success, one copy, not sent again', async () => {
    const { net, store } = await open();
    net.inserts.push('answer lost');
    await store.saveEvents(order('x'), newEvents(2), 0);
    expect(await all(store.readAll(''))).toHaveLength(2);
    expect(net.seen.filter((sql) => sql.startsWith('INSERT'))).toHaveLength(1);
  });

  it('an insert that never arrived is sent again with the same rows and token', async () => {
    const { net, store } = await open();
    net.inserts.push('request lost', 'request lost', 'answer lost');
    net.selects.push('passes');
    await store.saveEvents(order('x'), newEvents(2), 0);
    expect(await all(store.readAll(''))).toHaveLength(2);
  });

  it('a read-back that fails is asked again', async () => {
    const { net, store } = await open();
    await store.saveEvents(order('x'), newEvents(1), 0);
    net.selects.push('answer lost', 'request lost');
    await store.saveEvents(order('x'), newEvents(1), 1);
    expect(await all(store.readAll(''))).toHaveLength(2);
  });

  it('a save without any answer is rejected as retryable; saving the same events again appends them once, whenever the first insert arrives', async () => {
    for (const arrives of ['before the retry', 'after the retry', 'after another save took its batch']) {
      const { net, store } = await open();
      await store.saveEvents(order('x'), newEvents(1), 0);
      const events = newEvents(2);
      const arrival = new EventEmitter();
      net.delayed = once(arrival, 'now').then(() => undefined);
      expect(await thrown(store.saveEvents(order('x'), events, 1))).toMatchObject({
        code: 'CONNECTION',
        retryable: true,
      });
      net.delayed = undefined;
      if (arrives === 'before the retry') {
        arrival.emit('now');
        await Promise.all(net.late);
      }
      if (arrives === 'after another save took its batch') await store.saveEvents(order('other'), newEvents(1), 0);
      await store.saveEvents(order('x'), events, 1);
      arrival.emit('now');
      await Promise.all(net.late);
      const stored = await all(store.getEvents(order('x')));
      expect({ arrives, versions: stored.map(({ streamVersion }) => streamVersion) }).toEqual({
        arrives,
        versions: [1, 2, 3],
      });
      expect(dataOf(stored.slice(1))).toEqual([{ n: 0 }, { n: 1 }]);
      await store.saveEvents(order('x'), newEvents(1), 3);
      await store.close();
    }
  });

  it('an insert given up that arrives just before the next one keeps its batch, and the next one takes another', async () => {
    const { net, store } = await open();
    await store.saveEvents(order('x'), newEvents(1), 0);
    const arrival = new EventEmitter();
    net.delayed = once(arrival, 'now').then(() => undefined);
    const givenUp = newEvents(2);
    await thrown(store.saveEvents(order('x'), givenUp, 1));
    net.delayed = undefined;
    net.before = async () => {
      arrival.emit('now');
      await Promise.all(net.late);
    };
    const other = newEvents(1);
    expect(await store.saveEvents(order('other'), other, 0)).toBe('0000000000000003-00000000');
    expect((await all(store.readAll(''))).slice(1).map(({ id }) => id)).toEqual(
      [...givenUp, ...other].map(({ id }) => id),
    );
  });

  it('a statement that the server refuses rejects the save at once, and the next one works', async () => {
    const { net, store, database } = await open();
    await store.saveEvents(order('x'), newEvents(1), 0);
    await keepAlive.client.command({ query: `RENAME TABLE ${database}.events TO ${database}.away` });
    expect(await thrown(store.saveEvents(order('x'), newEvents(1), 1))).toMatchObject({
      code: 'CONFIGURATION',
      retryable: false,
    });
    await keepAlive.client.command({ query: `RENAME TABLE ${database}.away TO ${database}.events` });
    await store.saveEvents(order('x'), newEvents(1), 1);
    expect(net.seen.filter((sql) => sql.startsWith('INSERT'))).toHaveLength(3);
  });
});

async function expectVersions(store: EventStore, versions: Readonly<Record<string, number>>): Promise<void> {
  for (const [id, version] of Object.entries(versions)) {
    const stored = await all(store.getEvents(order(id)));
    expect(stored.map(({ streamVersion }) => streamVersion)).toEqual(Array.from({ length: version }, (_, i) => i + 1));
  }
}

async function select(opened: ClickHouse, query: string): Promise<number[][]> {
  const result = await opened.client.query({ query, format: 'JSONCompactEachRow' });
  return (await result.json<(string | number)[]>()).map((row) => row.map(Number));
}

const deleteBatch = (opened: ClickHouse, condition: string): Promise<unknown> =>
  opened.client.command({
    query: `ALTER TABLE ${opened.database}.events DELETE WHERE ${condition} SETTINGS mutations_sync = 2`,
  });
