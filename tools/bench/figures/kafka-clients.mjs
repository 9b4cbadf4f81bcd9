// The clients that drivers stand on, as one would use them: sending, and reading message by message (kafkajs: by the batch too).
import { kafka, producer } from './kafka-sides.mjs';

const readWith = async (server, topic, run) => {
  const consumer = kafka(server).consumer({ groupId: 'raw', maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run(run);
};

export const kafkajs = {
  prefix: 'kafka',
  name: 'kafkajs',
  targets: { publishBatches: 0.9, publishSingles: 5 },
  options: async () => ({}),
  headerOf: ({ headers }, name) => headers[name],
  async producer(server, options) {
    const made = await producer(server, options);
    return { send: (topic, messages) => made.send({ topic, messages }), close: () => made.disconnect() };
  },
  consumers: [
    {
      figure: 'consume-each',
      what: 'kafkajs eachMessage',
      target: 1,
      run: (server, topic, { wait, passed }) =>
        readWith(server, topic, {
          eachMessage: async ({ message }) => {
            const waiting = wait();
            if (waiting !== undefined) await waiting;
            passed(message);
          },
        }),
    },
    {
      figure: 'consume-batch',
      what: 'kafkajs eachBatch',
      target: 0.5,
      run: (server, topic, { wait, passed }) =>
        readWith(server, topic, {
          eachBatch: async ({ batch }) => {
            for (let left = batch.messages.length; left > 0; left -= 1) {
              const waiting = wait();
              if (waiting !== undefined) await waiting;
              passed();
            }
          },
        }),
    },
  ],
};

const library = () => import('@platformatic/kafka');
const raw = async ({ brokers }) => ({ clientId: 'raw', bootstrapBrokers: brokers.split(',') });
const keep = (bytes) => bytes;

export const platformatic = {
  prefix: 'kafka-platformatic',
  name: '@platformatic/kafka',
  targets: { publishBatches: 0.9, publishSingles: 5 },
  headerOf: ({ headers }, name) => headers.get(name),
  async options() {
    const { platformatic: driver } = await import('@bento-bus/kafka-adapter/platformatic');
    return { driver: driver() };
  },
  async producer(server, { idempotent }) {
    const { Producer, compatibilityPartitioner, stringSerializer: text } = await library();
    const made = new Producer({
      ...(await raw(server)),
      // What the client itself sets where it is not idempotent: the leader alone.
      ...(idempotent && { idempotent }),
      partitioner: compatibilityPartitioner,
      serializers: { key: text, value: keep, headerKey: text, headerValue: text },
    });
    return {
      send: (topic, messages) => made.send({ messages: messages.map((message) => ({ topic, ...message })) }),
      close: () => made.close(),
    };
  },
  consumers: [
    {
      figure: 'consume-each',
      what: '@platformatic/kafka, for await of its stream',
      target: 1,
      async run(server, topic, { wait, passed }) {
        const { Consumer, stringDeserializer: text } = await library();
        const consumer = new Consumer({
          ...(await raw(server)),
          groupId: 'raw',
          deserializers: { key: text, value: keep, headerKey: text, headerValue: text },
        });
        const stream = await consumer.consume({
          topics: [topic],
          mode: 'earliest',
          autocommit: true,
          maxWaitTime: 200,
        });
        void (async () => {
          for await (const message of stream) {
            const waiting = wait();
            if (waiting !== undefined) await waiting;
            passed(message);
          }
        })();
      },
    },
  ],
};
