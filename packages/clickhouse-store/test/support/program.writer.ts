// Appends to streams of its own and to one that all its tasks share, and says of each save that it was acknowledged, until it is killed.
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openClickHouse } from '@bento-bus/clickhouse-store';

const [path = '', run = ''] = process.argv.slice(2);
const { eventStore, checkpoints } = await openClickHouse({ path });
const say = (line: string): void => void writeSync(1, `${line}\n`);
say('open');

async function versionOf(id: string): Promise<number> {
  let version = 0;
  for await (const event of eventStore.getEvents({ type: 'order', id })) version = event.streamVersion;
  return version;
}

async function task(n: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const id = round % 3 === 0 ? 'shared' : `own-${run}-${n}-${round}`;
    const count = 1 + (round % 4);
    const save = randomUUID();
    const events = Array.from({ length: count }, (_, i) => ({
      id: `${save}:${i}`,
      type: 'order.changed',
      version: 1,
      data: { save, i, count },
      time: Date.now(),
    }));
    try {
      await eventStore.saveEvents({ type: 'order', id }, events, await versionOf(id));
      say(`saved ${id} ${save} ${count}`);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'CONCURRENCY') throw error;
    }
    if (n === 0) {
      await checkpoints.write('progress', `${run}-${String(round).padStart(6, '0')}`);
      say(`checkpoint ${run}-${String(round).padStart(6, '0')}`);
    }
  }
}
await Promise.all(Array.from({ length: 12 }, (_, n) => task(n)));
