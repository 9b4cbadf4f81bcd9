// `node tools/bench/figures/delay.mjs [inprocess] [kafka] [pulsar]`: how late delayed messages come, on each backend.
import { setTimeout } from 'node:timers/promises';
import { onEach } from '../backends.mjs';

const count = Number(process.env.DELAY_BENCH_MESSAGES ?? 10_000);
/** Delays are spread evenly up to this. Milliseconds. */
const longestMs = 20_000;
/** Publishing them takes a moment: none is due before. Milliseconds. */
const leadMs = 10_000;

const messageOf = (id, due) => ({
  id,
  type: 'bench',
  source: '/bench',
  time: Date.now(),
  key: `k${id.length}-${id.slice(-2)}`,
  headers: { ce_deliverat: String(due) },
  body: Buffer.alloc(200, 97),
});

async function lateness(transport) {
  const late = [];
  let handled = 0;
  const handler = async ({ message: { headers, id } }) => {
    if (id.startsWith('m')) late.push(Date.now() - Number(headers.ce_deliverat));
    handled += 1;
  };
  await transport.subscribe(['bench-delay'], handler, { group: 'bench', concurrency: 64 });
  const isDone = (wanted) => handled >= wanted;
  const until = async (wanted) => {
    while (!isDone(wanted)) await setTimeout(20);
  };
  // What is made at the first use is none of it.
  await transport.publish('bench-delay', [messageOf('warm-up', Date.now() + 50)]);
  await until(1);
  const begin = Date.now();
  for (let from = 0; from < count; from += 500) {
    const batch = Array.from({ length: Math.min(500, count - from) }, (_, index) => {
      const place = from + index;
      // In no order.
      return messageOf(`m${place}`, begin + leadMs + ((place * 7_919) % count) * (longestMs / count));
    });
    await transport.publish('bench-delay', batch);
  }
  await until(count + 1);
  return late.toSorted((a, b) => a - b);
}

await onEach(process.argv.slice(2), 2 * count, async (transport) => {
  const late = await lateness(transport);
  const at = (part) => `${Math.round(late[Math.min(late.length - 1, Math.floor(late.length * part))])} ms`;
  return `${count} messages, ${count / (longestMs / 1_000)} a second due: earliest ${at(0)}, p50 ${at(0.5)}, p99 ${at(0.99)}, latest ${at(1)} after their time`;
});
