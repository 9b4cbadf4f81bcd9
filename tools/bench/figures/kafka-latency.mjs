// `KAFKA_DRIVER=[kafkajs|platformatic] node tools/bench/figures/kafka-latency.mjs [seconds] [messages]`: what `npm run bench` cannot express as
// operations a second. p50 from publish to handler at 1,000 messages a second, ours and the client's in turn, and the memory of a process
// through many messages. For platformatic: by `node tools/scripts/node24.mjs tools/bench/figures/kafka-latency.mjs`.
import { setTimeout } from 'node:timers/promises';
import { median, paced, rate } from '../paced.mjs';
import { kafkajs, platformatic } from './kafka-clients.mjs';
import { adapter, broker, messageOf, recordOf, topic } from './kafka-sides.mjs';

const seconds = Number(process.argv[2] ?? 5);
const many = Number(process.argv[3] ?? 1_000_000);
const client = process.env.KAFKA_DRIVER === 'platformatic' ? platformatic : kafkajs;

const server = await broker();
const transport = await adapter(server, await client.options());
const topics = {
  ours: await topic(server, `latency-ours-${process.pid}`),
  raw: await topic(server, `latency-raw-${process.pid}`),
};
const times = { ours: [], raw: [] };
const now = () => ({ at: String(performance.now()) });
await transport.subscribe(
  [topics.ours],
  async ({ message }) => void times.ours.push(performance.now() - Number(message.headers.at)),
  { group: 'bench', concurrency: 16 },
);
await client.consumers[0].run(server, topics.raw, {
  wait: () => undefined,
  passed: (message) => times.raw.push(performance.now() - Number(client.headerOf(message, 'at'))),
});
const raw = await client.producer(server, { idempotent: true });
const p50 = { ours: [], raw: [] };
for (let round = 0; round < 3; round += 1) {
  p50.ours.push(await paced(seconds, (i) => void transport.publish(topics.ours, [messageOf(i, now())]), times.ours));
  const send = (i) => void raw.send(topics.raw, [recordOf(i, now())]);
  p50.raw.push(await paced(seconds, send, times.raw));
}
const [ours, theirs] = [median(p50.ours), median(p50.raw)];
console.log(
  `p50 at ${rate}/s: ours ${ours.toFixed(2)} ms, ${client.name} ${theirs.toFixed(2)} ms, ratio ${(ours / theirs).toFixed(2)} (target: at most 1.5)`,
);
await raw.close();

// Memory: the process publishes and handles.
const done = { handled: 0, published: 0 };
const long = await topic(server, `memory-${process.pid}`);
await transport.subscribe([long], async () => void (done.handled += 1), { group: 'bench', concurrency: 64 });
const rss = [];
const mark = many / 10;
while (done.published < many) {
  await transport.publish(
    long,
    Array.from({ length: 1_000 }, (_, i) => messageOf(done.published + i)),
  );
  done.published += 1_000;
  while (done.published - done.handled > 20_000) await setTimeout(5);
  if (done.published % mark === 0) rss.push(Math.round(process.memoryUsage.rss() / 1_048_576));
}
while (done.handled < many) await setTimeout(10);
console.log(`RSS over ${many} messages, each tenth, MiB: ${rss.join(' ')}`);
await transport.close();
await server.stop();
// The client's consumer is at work.
process.exit(0);
