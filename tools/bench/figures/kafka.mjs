// The Kafka adapter against the client that its driver stands on: 200-byte bodies, the same keys and headers, four partitions.
import { kafkajs, platformatic } from './kafka-clients.mjs';
import { inNode24, runAsChild } from './kafka-node24.mjs';
import { adapter, broker, inFlight, messageOf, recordOf, topic } from './kafka-sides.mjs';

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

/** What the adapter on a client is measured by. */
const figuresOf = (client) => {
  const { prefix, name, targets } = client;
  const publishing = async (idempotent, make) => {
    const server = await broker();
    const transport = await adapter(server, await client.options());
    const raw = await client.producer(server, { idempotent });
    const [ours, theirs] = [await topic(server, `ours-${process.pid}`), await topic(server, `raw-${process.pid}`)];
    return {
      ...make({ transport, raw, ours, theirs }),
      async close() {
        await raw.close();
        await transport.close();
        await server.stop();
      },
    };
  };
  const publishBatches = {
    name: `${prefix}/publish-batches`,
    what: `publish 200-byte messages in calls of 1,000, one after the other; reference: the same by ${name}, idempotent too`,
    target: targets.publishBatches,
    sampling: { rounds, operations },
    open: () =>
      publishing(true, ({ transport, raw, ours, theirs }) => ({
        ours: (count) =>
          batches(count, (from, to) =>
            transport.publish(
              ours,
              range(from, to, (i) => messageOf(i)),
            ),
          ),
        reference: (count) =>
          batches(count, (from, to) =>
            raw.send(
              theirs,
              range(from, to, (i) => recordOf(i)),
            ),
          ),
      })),
  };
  const publishSingles = {
    name: `${prefix}/publish-singles`,
    what: `publish 200-byte messages one by one, 1,000 in flight; reference: ${name} send of one message each, 1,000 in flight`,
    target: targets.publishSingles,
    sampling: { rounds, operations: Math.ceil(operations / 5) },
    open: () =>
      publishing(false, ({ transport, raw, ours, theirs }) => ({
        ours: (count) => inFlight(count, 1_000, (i) => transport.publish(ours, [messageOf(i)])),
        reference: (count) => inFlight(count, 1_000, (i) => raw.send(theirs, [recordOf(i)])),
      })),
  };
  const consume = ({ figure, what, target, run }) => ({
    name: `${prefix}/${figure}`,
    what: `handle 200-byte messages of 100 keys, each key in order, 16 at once, and commit each; reference: ${what}`,
    target,
    sampling: { rounds, operations },
    async open() {
      const server = await broker();
      const transport = await adapter(server, await client.options());
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
      await run(server, filled, theirs);
      return {
        ours: (count) => ours.run(count),
        reference: (count) => theirs.run(count),
        // The process ends here; what is fetched would have to be handled first.
        close: () => server.stop(),
      };
    },
  });
  return [publishBatches, publishSingles, ...client.consumers.map(consume)];
};

/** This process may be too old for @platformatic/kafka. */
const [own, newer] = [figuresOf(kafkajs), figuresOf(platformatic)];

export const kafka = [...own, ...newer.map((figure) => inNode24(figure, import.meta.filename))];

await runAsChild(newer, import.meta.filename);
