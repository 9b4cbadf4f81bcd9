// The Kafka adapter against kafkajs: 200-byte bodies, the same keys and headers, four partitions.
import { adapter, broker, kafka as client, inFlight, messageOf, producer, recordOf, topic } from './kafka-sides.mjs';

/** Messages of a sample. */
const operations = Number(process.env.KAFKA_BENCH_OPERATIONS ?? 100_000);
const rounds = 5;
/** Those that warm up, too: the topic is filled for all of them. */
const samples = rounds + Math.ceil(rounds / 8);
const size = 1_000;

const range = (from, to, make) => Array.from({ length: to - from }, (_, index) => make(from + index));

async function batches(count, send) {
  for (let from = 0; from < count; from += size) await send(from, Math.min(count, from + size));
}

const publishBatches = {
  name: 'kafka/publish-batches',
  what: 'publish 200-byte messages in calls of 1,000, one after the other; reference: the same by kafkajs, idempotent too',
  target: 0.9,
  sampling: { rounds, operations },
  async open() {
    const server = await broker();
    const [transport, raw] = [await adapter(server), await producer(server, { idempotent: true })];
    const [ours, theirs] = [await topic(server, `ours-${process.pid}`), await topic(server, `raw-${process.pid}`)];
    return {
      ours: (count) =>
        batches(count, (from, to) =>
          transport.publish(
            ours,
            range(from, to, (i) => messageOf(i)),
          ),
        ),
      reference: (count) =>
        batches(count, (from, to) => raw.send({ topic: theirs, messages: range(from, to, (i) => recordOf(i)) })),
      async close() {
        await raw.disconnect();
        await transport.close();
        await server.stop();
      },
    };
  },
};

const publishSingles = {
  name: 'kafka/publish-singles',
  what: 'publish 200-byte messages one by one, 1,000 in flight; reference: kafkajs send of one message each, 1,000 in flight',
  target: 5,
  sampling: { rounds, operations: Math.ceil(operations / 5) },
  async open() {
    const server = await broker();
    const [transport, raw] = [await adapter(server), await producer(server)];
    const [ours, theirs] = [await topic(server, `ours-${process.pid}`), await topic(server, `raw-${process.pid}`)];
    return {
      ours: (count) => inFlight(count, 1_000, (i) => transport.publish(ours, [messageOf(i)])),
      reference: (count) => inFlight(count, 1_000, (i) => raw.send({ topic: theirs, messages: [recordOf(i)] })),
      async close() {
        await raw.disconnect();
        await transport.close();
        await server.stop();
      },
    };
  },
};

/** Counts down; who calls `passed` beyond zero waits for the next sample. */
function turnstile() {
  let left = 0;
  let done;
  let open;
  let gate;
  const shut = () => {
    gate = new Promise((resolve) => {
      open = resolve;
    });
  };
  shut();
  return {
    run: (count) =>
      new Promise((resolve) => {
        left = count;
        done = resolve;
        open();
      }),
    /** Undefined: go on. */
    wait: () => (left > 0 ? undefined : gate),
    passed() {
      left -= 1;
      if (left > 0) return;
      shut();
      done();
    },
  };
}

const consume = (name, what, target, runRaw) => ({
  name,
  what,
  target,
  sampling: { rounds, operations },
  async open() {
    const server = await broker();
    const transport = await adapter(server);
    const filled = await topic(server, `consume-${process.pid}`);
    // More than is counted: nobody waits for the last fetch.
    await batches((samples + 1) * operations, (from, to) =>
      transport.publish(
        filled,
        range(from, to, (i) => messageOf(i)),
      ),
    );
    const [ours, theirs] = [turnstile(), turnstile()];
    const handler = async () => {
      const waiting = ours.wait();
      if (waiting !== undefined) await waiting;
      ours.passed();
    };
    await transport.subscribe([filled], handler, { group: 'ours', concurrency: 16 });
    const raw = client(server).consumer({ groupId: 'raw', maxWaitTimeInMs: 200 });
    await raw.connect();
    await raw.subscribe({ topics: [filled], fromBeginning: true });
    await runRaw(raw, theirs);
    return {
      ours: (count) => ours.run(count),
      reference: (count) => theirs.run(count),
      // What is fetched would be handled first.
      // The process ends here; what is fetched would have to be handled first.
      close: () => server.stop(),
    };
  },
});

const ours = 'handle 200-byte messages of 100 keys, each key in order, 16 at once, and commit each';
const consumeEach = consume(
  'kafka/consume-each',
  `${ours}; reference: kafkajs eachMessage`,
  1,
  (raw, { wait, passed }) =>
    raw.run({
      eachMessage: async () => {
        const waiting = wait();
        if (waiting !== undefined) await waiting;
        passed();
      },
    }),
);
const consumeBatch = consume(
  'kafka/consume-batch',
  `${ours}; reference: kafkajs eachBatch`,
  0.5,
  (raw, { wait, passed }) =>
    raw.run({
      eachBatch: async ({ batch }) => {
        for (let left = batch.messages.length; left > 0; left -= 1) {
          const waiting = wait();
          if (waiting !== undefined) await waiting;
          passed();
        }
      },
    }),
);

export const kafka = [publishBatches, publishSingles, consumeEach, consumeBatch];
