// `node tools/bench/figures/idempotency.mjs`: what a look and a mark cost in the embedded ClickHouse, with few and with many ids.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClickHouseIdempotencyStore, openClickHouse } from '@bento-bus/clickhouse-store';

const ids = Number(process.env.IDEMPOTENCY_BENCH_IDS ?? 1_000_000);
const rounds = 30;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const ms = (values) => `${median(values).toFixed(1)} ms`;

async function timed(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function figures(store, what) {
  const [one, many, marks] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    one.push(await timed(() => store.handled('bench', [`id-${round}`])));
    const looks = Array.from({ length: 500 }, (_, index) => `id-${round * 500 + index}`);
    many.push(await timed(() => Promise.all(looks.map((id) => store.handled('bench', [id])))));
    marks.push(await timed(() => store.mark('bench', [`mark-${what}-${round}`])));
  }
  console.log(`${what.padEnd(16)} one look ${ms(one)}, 500 looks together ${ms(many)}, one mark ${ms(marks)}`);
}

const path = mkdtempSync(join(tmpdir(), 'bento-bench-'));
const clickhouse = await openClickHouse({ path });
const store = await createClickHouseIdempotencyStore({ client: clickhouse.client });
try {
  await figures(store, 'empty');
  for (let from = 0; from < ids; from += 1_000)
    await store.mark(
      'bench',
      Array.from({ length: 1_000 }, (_, index) => `id-${from + index}`),
    );
  await figures(store, `${ids} ids`);
} finally {
  await store.close();
  await clickhouse.close();
  rmSync(path, { recursive: true, force: true });
}
