// The Pulsar adapter by WebSocket against bare frames of the same settings: unbatched, the same properties, 1,000 in flight, 200-byte bodies.
import { adapter, broker, messageOf, rawConsumer, rawProducer, subscription } from './pulsar-sides.mjs';

/** Messages of a sample; five samples a side make 100,000. */
const operations = Number(process.env.PULSAR_BENCH_OPERATIONS ?? 20_000);
const rounds = 5;
/** Those that warm up, too: the topic is filled for all of them. */
const samples = rounds + Math.ceil(rounds / 8);

const publish = {
  name: 'pulsar/publish',
  what: 'publish 200-byte messages in calls of 100, ten calls at once, to one topic by WebSocket; reference: bare frames, 1,000 in flight',
  target: 0.9,
  sampling: { rounds, operations },
  async open() {
    const server = await broker();
    const transport = await adapter(server);
    const raw = await rawProducer(server.webUrl, 'bench-publish-raw');
    const calls = 10;
    const size = 100;
    return {
      async ours(count) {
        let next = 0;
        const publisher = async () => {
          while (next < count) {
            const from = next;
            next += size;
            await transport.publish(
              'bench-publish',
              Array.from({ length: Math.min(size, count - from) }, (_, i) => messageOf(from + i)),
            );
          }
        };
        await Promise.all(Array.from({ length: calls }, publisher));
      },
      reference: (count) => raw.all(count),
      async close() {
        raw.close();
        await transport.close();
        await server.stop();
      },
    };
  },
};

const consume = {
  name: 'pulsar/consume',
  what: 'handle 200-byte messages of 100 keys, each key in order, and acknowledge each, Key_Shared by WebSocket; reference: bare frames acknowledged as they come',
  target: 0.9,
  sampling: { rounds, operations },
  async open() {
    const server = await broker();
    const transport = await adapter(server);
    const topic = `bench-consume-${process.pid}`;
    await subscription(server.webUrl, topic, 'raw');
    await subscription(server.webUrl, topic, 'ours');
    const filler = await rawProducer(server.webUrl, topic);
    await filler.all((samples + 1) * operations);
    filler.close();

    // Both stand still between their samples.
    let left = 0;
    let done;
    let go;
    let gate = new Promise((resolve) => {
      go = resolve;
    });
    const handled = () => {
      left -= 1;
      if (left > 0) return;
      gate = new Promise((resolve) => {
        go = resolve;
      });
      done();
    };
    await transport.subscribe(
      [topic],
      async () => {
        if (left === 0) await gate;
        handled();
      },
      { group: 'ours', concurrency: 16 },
    );
    let rawLeft = 0;
    let rawDone;
    const raw = await rawConsumer(server.webUrl, topic, 'raw', () => {
      rawLeft -= 1;
      if (rawLeft > 0) return;
      raw.pause();
      if (rawLeft === 0) rawDone();
    });
    raw.pause();
    return {
      ours: (count) =>
        new Promise((resolve) => {
          done = resolve;
          left = count;
          go();
        }),
      reference: (count) =>
        new Promise((resolve) => {
          rawDone = resolve;
          rawLeft += count;
          raw.resume();
        }),
      async close() {
        raw.close();
        await transport.close();
        await server.stop();
      },
    };
  },
};

export const pulsar = [publish, consume];
