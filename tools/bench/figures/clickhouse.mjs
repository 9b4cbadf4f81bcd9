// The event store against the stock client on the same embedded engine: what the guarantees of the log cost, or save.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const columns = [
  'event_id',
  'event_type',
  'aggregate_id',
  'aggregate_type',
  'version',
  'payload',
  'metadata',
  'timestamp',
  'batch',
  'idx',
  'writer',
];
const selection =
  'event_id, event_type, aggregate_id, aggregate_type, version, payload, metadata, timestamp, batch, idx';
const data = {
  customerId: 'c-1',
  country: 'France',
  total: '59.70',
  lines: [{ sku: '85123A', quantity: 6, price: '2.55' }],
};
const metadata = { correlationId: 'a5f4b1c2-5f0e-4f0e-9a50-3f1f6e6b2d11' };

const timestamp = (time) => new Date(time).toISOString().replace('T', ' ').slice(0, -1);

const newEvents = (count) =>
  Array.from({ length: count }, () => ({
    id: randomUUID(),
    type: 'order.placed',
    version: 1,
    data,
    metadata,
    time: Date.now(),
  }));

/** A store, and beside it a table of the same layout for the stock client. */
async function makeStores() {
  const { openClickHouse } = await import('@bento-bus/clickhouse-store');
  const path = mkdtempSync(join(tmpdir(), 'bento-bench-'));
  const clickHouse = await openClickHouse({ path });
  const { client, database, eventStore } = clickHouse;
  await client.command({ query: `CREATE TABLE ${database}.raw AS ${database}.events` });
  let batch = 0;
  return {
    eventStore,
    /** One insert of the rows that the store would write, with nothing checked. */
    async insert(id, events) {
      batch += 1;
      const place = batch;
      const values = events.map((event, i) => [
        event.id,
        event.type,
        id,
        'order',
        i + 1,
        JSON.stringify(event.data),
        JSON.stringify(event.metadata),
        timestamp(event.time),
        place,
        i,
        'raw',
      ]);
      await client.insert({ table: `${database}.raw`, values, columns, format: 'JSONCompactEachRow' });
    },
    async select(where, query_params) {
      const query = `SELECT ${selection} FROM ${database}.raw ${where}`;
      const result = await client.query({ query, query_params, format: 'JSONCompactEachRow' });
      const rows = await result.json();
      return rows.map((row) => ({ id: row[0], data: JSON.parse(row[5]), metadata: JSON.parse(row[6]) }));
    },
    async close() {
      await clickHouse.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

const inTurn = (work) => async (operations) => {
  for (let i = 0; i < operations; i += 1) await work();
};
/** `workers` of them at any time. */
const atOnce = (workers, work) => async (operations) => {
  let left = operations;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
};
const saves = ({ eventStore, insert, close }, size, schedule) => ({
  ours: schedule(() => eventStore.saveEvents({ type: 'order', id: randomUUID() }, newEvents(size), 0)),
  reference: schedule(() => insert(randomUUID(), newEvents(size))),
  close,
});

const appendSingle = {
  name: 'clickhouse/append-1',
  what: 'save one event to a new stream, 64 saves at once; reference: the stock client inserts one row, 64 at once',
  target: 1,
  eventsEach: 1,
  sampling: { operations: 640, rounds: 9 },
  open: async () => saves(await makeStores(), 1, (work) => atOnce(64, work)),
};
const appendGroup = {
  name: 'clickhouse/append-500',
  what: 'save 500 events to a new stream, one save after the other; reference: the stock client inserts 500 rows',
  target: 0.4,
  eventsEach: 500,
  sampling: { operations: 20, rounds: 15 },
  open: async () => saves(await makeStores(), 500, inTurn),
};

/** Both tables with the same history: 1,000 streams of 20 events, a batch a stream. */
async function makeHistory() {
  const stores = await makeStores();
  const ids = Array.from({ length: 1_000 }, () => randomUUID());
  for (const id of ids) {
    const events = newEvents(20);
    await stores.eventStore.saveEvents({ type: 'order', id }, events, 0);
    await stores.insert(id, events);
  }
  return { stores, ids };
}

const readAll = {
  name: 'clickhouse/read-all',
  what: 'read 20,000 events in the order of their commits; reference: the stock client selects and parses the same rows in one query',
  target: 0.5,
  eventsEach: 20_000,
  sampling: { operations: 1, rounds: 15 },
  async open() {
    const { stores } = await makeHistory();
    return {
      ours: inTurn(async () => {
        let count = 0;
        for await (const event of stores.eventStore.readAll('')) count += event.data === undefined ? 0 : 1;
        if (count !== 20_000) throw new Error(`${count} events instead of 20,000`);
      }),
      reference: inTurn(async () => {
        const { length } = await stores.select('ORDER BY batch, idx');
        if (length !== 20_000) throw new Error(`${length} rows instead of 20,000`);
      }),
      close: () => stores.close(),
    };
  },
};

const scheduled = (workers, work) => (workers === 1 ? inTurn(work) : atOnce(workers, work));
const checkTwenty = (count) => {
  if (count !== 20) throw new Error(`${count} events instead of 20`);
};

const load = (name, workers, target) => ({
  name: `clickhouse/${name}`,
  what: `load a stream of 20 events, ${workers === 1 ? 'one after the other' : `${workers} at once`}; reference: the stock client selects and parses the same rows`,
  target,
  eventsEach: 20,
  sampling: { operations: workers === 1 ? 50 : 320, rounds: 9 },
  async open() {
    const { stores, ids } = await makeHistory();
    let next = 0;
    const id = () => ids[(next = (next + 7) % ids.length)];
    return {
      ours: scheduled(workers, async () => {
        let count = 0;
        for await (const event of stores.eventStore.getEvents({ type: 'order', id: id() }))
          count += event.data === undefined ? 0 : 1;
        checkTwenty(count);
      }),
      reference: scheduled(workers, async () => {
        const where = "WHERE aggregate_type = 'order' AND aggregate_id = {id:String} ORDER BY version";
        checkTwenty((await stores.select(where, { id: id() })).length);
      }),
      close: () => stores.close(),
    };
  },
});

export const clickHouse = [
  appendSingle,
  appendGroup,
  readAll,
  load('load-stream', 1, 0.8),
  load('load-streams-32', 32, 1),
];
