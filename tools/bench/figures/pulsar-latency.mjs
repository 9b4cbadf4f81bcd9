// `node tools/bench/figures/pulsar-latency.mjs [seconds] [messages]`: what `npm run bench` cannot express as operations a second. p50 from publish
// to handler at 1,000 messages a second, ours and bare frames in turn, and the memory of a process through many messages.
import { setTimeout } from 'node:timers/promises';
import { median, paced, rate } from '../paced.mjs';
import { adapter, broker, messageOf, rawConsumer, rawProducer, subscription } from './pulsar-sides.mjs';

const seconds = Number(process.argv[2] ?? 5);
const many = Number(process.argv[3] ?? 1_000_000);

const server = await broker();
const transport = await adapter(server);
const topics = { ours: `latency-ours-${process.pid}`, raw: `latency-raw-${process.pid}` };
const times = { ours: [], raw: [] };
await transport.subscribe(
  [topics.ours],
  async ({ message }) => void times.ours.push(performance.now() - Number(message.headers.at)),
  { group: 'bench', concurrency: 16 },
);
await subscription(server.webUrl, topics.raw, 'bench');
const consumer = await rawConsumer(server.webUrl, topics.raw, 'bench', ({ properties }) =>
  times.raw.push(performance.now() - Number(properties.at)),
);
const producer = await rawProducer(server.webUrl, topics.raw);
const p50 = { ours: [], raw: [] };
for (let round = 0; round < 3; round += 1) {
  p50.ours.push(
    await paced(
      seconds,
      (i) => void transport.publish(topics.ours, [{ ...messageOf(i), headers: { at: String(performance.now()) } }]),
      times.ours,
    ),
  );
  p50.raw.push(await paced(seconds, (i) => void producer.send(i, { at: String(performance.now()) }), times.raw));
}
const [ours, raw] = [median(p50.ours), median(p50.raw)];
console.log(
  `p50 at ${rate}/s: ours ${ours.toFixed(2)} ms, raw ${raw.toFixed(2)} ms, ratio ${(ours / raw).toFixed(2)} (target: at most 1.5)`,
);
producer.close();
consumer.close();

// Memory: the process publishes and handles.
const count = { handled: 0 };
const topic = `memory-${process.pid}`;
const handler = async () => {
  count.handled += 1;
};
await transport.subscribe([topic], handler, { group: 'bench', concurrency: 64 });
const until = async (handled) => {
  while (count.handled < handled) await setTimeout(5);
};
const hundred = (from) => Array.from({ length: 100 }, (_, index) => messageOf(from + index));
const tens = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const rss = [];
for (let published = 0; published < many; published += 1_000) {
  await Promise.all(tens.map((call) => transport.publish(topic, hundred(published + call * 100))));
  await until(published - 20_000);
  if ((published + 1_000) % (many / 10) === 0) rss.push(Math.round(process.memoryUsage.rss() / 1_048_576));
}
await until(many);
console.log(`RSS over ${many} messages, each tenth, MiB: ${rss.join(' ')}`);
await transport.close();
await server.stop();
