// `node tools/scripts/node24.mjs tools/bench/figures/kafka-drivers.mjs`: the adapter on kafkajs against the adapter on @platformatic/kafka, in
// turn in one process, 200-byte messages; medians of three rounds.
import { createKafkaTransport } from '@bento-bus/kafka-adapter';
import { platformatic } from '@bento-bus/kafka-adapter/platformatic';
import { median } from '../paced.mjs';
import { broker, messageOf, topic } from './kafka-sides.mjs';

const shown = (value) => Math.round(value).toLocaleString('en');

const rounds = 3;
const count = Number(process.env.KAFKA_BENCH_OPERATIONS ?? 200_000);

const server = await broker();
const options = { brokers: server.brokers, publishTimeoutMs: 60_000 };
const drivers = {
  kafkajs: createKafkaTransport(options),
  platformatic: createKafkaTransport({ ...options, driver: platformatic() }),
};
const rate = async (work) => {
  const start = performance.now();
  const done = await work();
  return (done * 1_000) / (performance.now() - start);
};

const figures = {
  'calls of 1,000, ten at once': async (transport, name) => {
    let next = 0;
    const publisher = async () => {
      for (; next < count; ) {
        const from = next;
        next += 1_000;
        await transport.publish(
          name,
          Array.from({ length: 1_000 }, (_, index) => messageOf(from + index)),
        );
      }
    };
    await Promise.all(Array.from({ length: 10 }, publisher));
    return count;
  },
  'single calls, 1,000 in flight': async (transport, name) => {
    let next = 0;
    const publisher = async () => {
      while (next < count) await transport.publish(name, [messageOf(next++)]);
    };
    await Promise.all(Array.from({ length: 1_000 }, publisher));
    return count;
  },
  'handle and acknowledge each, keys in order': async (transport, name, round) => {
    let handled = 0;
    let done;
    const all = new Promise((resolve) => {
      done = resolve;
    });
    const handler = async () => {
      handled += 1;
      if (handled === count) done();
    };
    const group = `bench-${round}-${Math.random()}`;
    const subscription = await transport.subscribe([name], handler, { group, concurrency: 64 });
    await all;
    await subscription.close();
    return count;
  },
};

try {
  const names = {};
  for (const driver of Object.keys(drivers)) names[driver] = await topic(server, `drivers-${driver}-${process.pid}`);
  console.log(`Node.js ${process.versions.node}`);
  for (const [figure, run] of Object.entries(figures)) {
    const rates = { kafkajs: [], platformatic: [] };
    // The first round warms up; every round reads the same topic.
    for (let round = 0; round <= rounds; round += 1)
      for (const [driver, transport] of Object.entries(drivers)) {
        const found = await rate(() =>
          run(transport, figure.startsWith('handle') ? names.kafkajs : names[driver], round),
        );
        if (round > 0) rates[driver].push(found);
      }
    const [ours, theirs] = [median(rates.platformatic), median(rates.kafkajs)];
    console.log(
      `${figure}: kafkajs ${shown(theirs)}/s, platformatic ${shown(ours)}/s, ratio ${(ours / theirs).toFixed(2)}`,
    );
  }
} finally {
  await Promise.all(Object.values(drivers).map((transport) => transport.close()));
  await server.stop();
}
