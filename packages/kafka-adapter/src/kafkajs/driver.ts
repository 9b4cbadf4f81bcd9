import { connect, isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { BentoError } from '@bento-bus/core';
import { type Admin, Kafka, type KafkaConfig, type SASLOptions } from 'kafkajs';
import type { Driver, NewTopic } from '../driver.ts';
import type { ResolvedOptions } from '../options.ts';
import { type KafkaConnection, tlsOf } from '../security.ts';
import { KafkaJsConsumer } from './consumer.ts';
import { withCluster } from './internals.ts';
import { level, logCreator } from './logs.ts';
import { KafkaJsProducer } from './producer.ts';
import { readLastRecord } from './reader.ts';
import { KafkaJsTransactionalProducer } from './transactional.ts';

/** The client given, or one of its own. It connects to nothing. */
export const clientOf = (options: ResolvedOptions): Kafka => options.client ?? new Kafka(configOf(options));

/** A driver on kafkajs, on the client given or on one of its own. */
export function createKafkaJsDriver(options: ResolvedOptions): Driver {
  const client = clientOf(options);
  let admin: Promise<Admin> | undefined;
  /** One after the other: calls at once replace each other's metadata. */
  let last: Promise<unknown> = Promise.resolve();

  const administrate = <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const result = last.then(async () => work(await (admin ??= openAdmin(client))));
    last = result.catch(() => {
      // The next call begins with a new connection.
      void admin?.then((one) => one.disconnect()).catch(() => {});
      admin = undefined;
    });
    return result;
  };

  return {
    producer: () => KafkaJsProducer.open(client),
    transactional: (id) => KafkaJsTransactionalProducer.open(client, id),
    consume: (consumer, events) => KafkaJsConsumer.open(client, consumer, events),
    lastRecord: (topic) => readLastRecord(client, topic),
    exists: (topic) => administrate(async (one) => isKnown(one, topic)),
    create: (topic) =>
      administrate(async (one) => {
        await one.createTopics({ topics: [topicOf(topic)], waitForLeaders: false });
        // kafkajs' own wait fails when the broker that it asks has not heard of the topic yet.
        const deadline = Date.now() + options.requestTimeoutMs;
        while (!(await isKnown(one, topic.topic))) {
          if (Date.now() > deadline) throw unheardOf(topic.topic, options.requestTimeoutMs);
          await delay(50);
        }
      }),
    topics: () => administrate((one) => one.listTopics()),
    trim: (topic, offsets) =>
      administrate((one) =>
        one.deleteTopicRecords({
          topic,
          partitions: Array.from(offsets, ([partition, offset]) => ({ partition, offset: String(offset) })),
        }),
      ),
    async close() {
      await last;
      await admin?.then((one) => one.disconnect()).catch(() => {});
    },
  };
}

/** Every partition of the topic has a leader that the broker asked knows of. */
async function isKnown(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.every(({ leader }) => leader >= 0) === true;
  } catch (error) {
    const { type = '' } = error as { readonly type?: string };
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'LEADER_NOT_AVAILABLE') return false;
    throw error;
  }
}

const unheardOf = (topic: string, ms: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `kafka-adapter: cannot use topic "${topic}": it was made, and no broker serves it after ${ms} ms. See that the brokers run; then try again.`,
    true,
  );

const configOf = (options: ResolvedOptions): KafkaConfig => ({
  ...securityOf(options.connection),
  brokers: [...options.brokers],
  clientId: options.clientId,
  requestTimeout: options.requestTimeoutMs,
  connectionTimeout: Math.min(5_000, options.requestTimeoutMs),
  socketFactory,
  logLevel: level,
  logCreator: logCreator(options.logger),
  retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000, multiplier: 2, factor: 0.2 },
});

/** A copy, as kafkajs writes into it. */
const securityOf = ({ ssl, sasl }: KafkaConnection): Pick<KafkaConfig, 'ssl' | 'sasl'> => ({
  ...(ssl !== undefined && { ssl: typeof ssl === 'boolean' ? ssl : tlsOf(ssl) }),
  ...(sasl && { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password } as SASLOptions }),
});

/** As kafkajs does it, but nothing waits for more to send, and a broker that is down brings no warnings about listeners. */
const socketFactory: NonNullable<KafkaConfig['socketFactory']> = ({ host, port, ssl: given, onConnect }) => {
  // Undefined where there is none, whatever its type says.
  const ssl = given as typeof given | undefined;
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  socket.setMaxListeners(0);
  return socket;
};

async function openAdmin(client: Kafka): Promise<Admin> {
  const { made: admin } = withCluster(client, (view) => view.admin());
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect().catch(() => {});
    throw error;
  }
}

const topicOf = ({ topic, partitions, replicationFactor, config }: NewTopic) => ({
  topic,
  numPartitions: partitions ?? -1,
  replicationFactor: replicationFactor ?? -1,
  configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
});
