// `node tools/bench/figures/poison.mjs [inprocess] [kafka] [pulsar]`: what poison messages with delayed retries cost the others. Rounds
// with and without poison take turns; the p99 of the others' way from publish to handler is compared, and how late the delayed tries are.
import { setTimeout } from 'node:timers/promises';
import { retry } from '@bento-bus/dlq';
import { onEach } from '../backends.mjs';

const rounds = Number(process.env.POISON_BENCH_ROUNDS ?? 4);
const perSecond = 300;
const seconds = 8;
/** One in so many is poison, in its rounds. */
const oneIn = 300;
const delays = [1_000, 5_000];

const percentile = (values, part) => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)];
const median = (values) => percentile(values, 0.5);

/** One subscription for all rounds; `take` is what the round at hand does with a delivery. */
async function open(transport) {
  const state = { take: () => undefined };
  await transport.subscribe(['bench-poison'], async (delivery) => state.take(delivery), {
    group: 'bench',
    concurrency: 32,
    use: [retry({ attempts: 1, delays })],
  });
  return state;
}

async function round(transport, state, number, poisoned) {
  const latencies = [];
  const tries = new Map();
  const late = [];
  let dead = 0;
  state.take = ({ message, attempt }) => {
    const now = performance.timeOrigin + performance.now();
    if (message.headers.round !== String(number)) return;
    if (message.type === 'fine') {
      latencies.push(now - Number(message.headers.sent));
      return;
    }
    const last = tries.get(message.id);
    if (last !== undefined) late.push(now - last - delays[attempt - 2]);
    tries.set(message.id, now);
    if (attempt === 3) dead += 1;
    throw new Error('poison');
  };
  const count = perSecond * seconds;
  const begin = performance.now();
  const publishes = [];
  for (let index = 0; index < count; index += 1) {
    const due = begin + (index * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 1) await setTimeout(wait);
    const isPoison = poisoned && index % oneIn === 50;
    publishes.push(
      transport.publish('bench-poison', [
        {
          id: `${number}-${index}`,
          type: isPoison ? 'poison' : 'fine',
          source: '/bench',
          time: Date.now(),
          key: `k${index % 200}`,
          headers: { round: String(number), sent: String(performance.timeOrigin + performance.now()) },
          body: Buffer.alloc(200, 97),
        },
      ]),
    );
  }
  await Promise.all(publishes);
  const poisons = poisoned ? count / oneIn : 0;
  const isDone = () => latencies.length >= count - poisons && dead >= poisons;
  while (!isDone()) await setTimeout(20);
  return { p99: percentile(latencies, 0.99), late };
}

const ms = (value) => `${value.toFixed(1)} ms`;

await onEach(process.argv.slice(2), 1_000_000, async (transport) => {
  const state = await open(transport);
  // What is made at the first use is none of it.
  await round(transport, state, 0, true);
  const [quiet, poisoned, late] = [[], [], []];
  for (let number = 1; number <= rounds; number += 1) {
    quiet.push((await round(transport, state, 2 * number, false)).p99);
    const one = await round(transport, state, 2 * number + 1, true);
    poisoned.push(one.p99);
    late.push(...one.late);
  }
  return `${perSecond} messages a second, one in ${oneIn} poison: p99 of the others ${ms(median(poisoned))}, without poison ${ms(median(quiet))}, ratio ${(median(poisoned) / median(quiet)).toFixed(2)}; delayed tries ${ms(Math.min(...late))} to ${ms(Math.max(...late))} after their time`;
});
