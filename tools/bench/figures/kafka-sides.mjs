// Both sides of the comparisons with Kafka: the adapter, and kafkajs as one would write it, with the same records.
import { setTimeout } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';

const body = Buffer.alloc(200, 'x');
export const messageOf = (index, headers = {}) => ({
  id: `m${index}`,
  type: 'bench.event',
  source: '/bench',
  time: 1_795_996_800_000,
  key: `k${index % 100}`,
  headers,
  body,
});
/** As the wire format of the adapter writes it. */
export const recordOf = (index, headers = {}) => ({
  key: `k${index % 100}`,
  value: body,
  headers: {
    ...headers,
    ce_specversion: '1.0',
    ce_id: `m${index}`,
    ce_type: 'bench.event',
    ce_source: '/bench',
    ce_time: '2026-11-30T00:00:00.000Z',
  },
});

const partitions = 4;

/** The broker of `KAFKA_BROKERS`, else one for this run. */
export async function broker() {
  const { KAFKA_BROKERS: brokers } = process.env;
  if (brokers) return { brokers, stop: async () => {} };
  const { startKafka } = await import('@bento-bus/stack');
  return startKafka({ heapMb: 1024 });
}

export async function adapter({ brokers }, options = {}) {
  const { createKafkaTransport } = await import('@bento-bus/kafka-adapter');
  return createKafkaTransport({ brokers, partitions, ...options });
}

export const kafka = ({ brokers }) => new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });

export async function topic({ brokers }, name) {
  const admin = kafka({ brokers }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: name, numPartitions: partitions }], waitForLeaders: false });
  // kafkajs' own wait fails when the broker that it asks has not heard of the topic yet.
  const isLed = () =>
    admin.fetchTopicMetadata({ topics: [name] }).then(
      ({ topics: [found] }) =>
        found.partitions.length === partitions && found.partitions.every(({ leader }) => leader >= 0),
      () => false,
    );
  while (!(await isLed())) await setTimeout(20);
  await admin.disconnect();
  return name;
}

/** kafkajs' producer, connected. */
export async function producer(server, options = {}) {
  const made = kafka(server).producer({ createPartitioner: Partitioners.DefaultPartitioner, ...options });
  await made.connect();
  return made;
}

/** Calls `send` for 0 to `count` - 1 with `most` of its promises open. */
export function inFlight(count, most, send) {
  let next = 0;
  const worker = async () => {
    while (next < count) await send(next++);
  };
  return Promise.all(Array.from({ length: most }, worker));
}
