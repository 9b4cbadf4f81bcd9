// Writes times and dates around days and hours where a time zone would show, and prints what comes back.

import { openClickHouse } from '@bento-bus/clickhouse-store';
import { defineReadModel } from '@bento-bus/core';

const [path = ''] = process.argv.slice(2);
const times = [
  '2026-01-01T00:00:00.001Z',
  '2026-03-08T02:30:00.000Z',
  '2026-03-08T07:30:00.000Z',
  '2026-11-01T05:30:00.500Z',
  '1969-12-31T23:59:59.999Z',
].map(Date.parse);
await using opened = await openClickHouse({ path });
const { eventStore, readModels, client } = opened;
const stream = { type: 'order', id: '1' };
await eventStore.saveEvents(
  stream,
  times.map((time, i) => ({ id: String(i), type: 't', version: 1, data: i, time })),
  0,
);
const loaded: number[] = [];
for await (const { time } of eventStore.getEvents(stream)) loaded.push(time);
const read: number[] = [];
for await (const { time } of eventStore.readAll('')) read.push(time);
const model = defineReadModel({ name: 'm', version: 1, key: ['at'], columns: { at: 'time', day: 'date' } });
await readModels.ensure([model]);
const rows = times.map((at) => ({ row: { at, day: new Date(at).toISOString().slice(0, 10) }, streamVersion: 1 }));
await readModels.write(model, rows);
const found = await readModels.find(model, { where: { at: times, day: rows.map(({ row }) => row.day) } });
const days = await readModels.totals(model, { by: ['day'], sum: [] });
const text = await (
  await client.query({
    query: "SELECT toString(timestamp), dateDiff('second', _ingest_time, now64(6)) FROM bento.events ORDER BY version",
    format: 'JSONCompactEachRow',
  })
).json<[string, number | string]>();
process.stdout.write(
  `${JSON.stringify({ zone: new Date(0).getHours(), times, loaded, read, found, days, text: text.map(([at]) => at), age: Math.max(...text.map(([, age]) => Math.abs(Number(age)))) })}\n`,
);
