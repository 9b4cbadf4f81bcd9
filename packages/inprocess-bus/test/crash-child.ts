// A process of the crash test: publishes a log, handles it, and notes in a ledger what it does. `crash-child.ts <folder> <process> <concurrency>`
import { appendFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { CheckpointedItem, CheckpointStore } from '@bento-bus/core';
import { createInProcessTransport } from '../src/index.ts';

const [folder = '', process_ = '', concurrency = ''] = process.argv.slice(2);
const events = 400;
const position = (place: number): string => String(place).padStart(6, '0');
const topicOf = (place: number): string => (place % 3 === 0 ? 'payments' : 'orders');

const checkpoints: CheckpointStore = {
  async read(name) {
    try {
      return await readFile(join(folder, encodeURIComponent(name)), 'utf8');
    } catch {
      return undefined;
    }
  },
  // A rename happens or does not happen.
  async write(name, value) {
    const file = join(folder, encodeURIComponent(name));
    await writeFile(`${file}.new`, value);
    await rename(`${file}.new`, file);
  },
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

const transport = createInProcessTransport({ checkpoints });
for (const group of ['mail', 'stock'])
  await transport.subscribe(
    ['orders', 'payments'],
    async ({ message: { id } }) => {
      appendFileSync(join(folder, 'ledger'), `${process_} start ${group} ${id}\n`);
      await setTimeout(Math.random() * 4);
      appendFileSync(join(folder, 'ledger'), `${process_} finish ${group} ${id}\n`);
      // The parent counts these and kills at one of them.
      process.stdout.write('.');
    },
    { group, concurrency: Number(concurrency) },
  );
const publisher = await transport.openCheckpointed('log', { topics: ['orders', 'payments'] });
for (let next = Number(publisher.resumeAfter); next < events; next += 20) {
  const until = Math.min(events, next + 20);
  const items = Array.from({ length: until - next }, (_, index): CheckpointedItem => {
    const place = next + index + 1;
    const message = {
      id: position(place),
      key: `k${place % 37}`,
      type: 'test',
      source: '/test',
      time: 0,
      headers: {},
      body: null,
    };
    return { topic: topicOf(place), position: position(place), message };
  });
  await publisher.publish(items, position(until));
}
while (transport.backlog('mail') + transport.backlog('stock') > 0) await setTimeout(1);
await transport.close();
