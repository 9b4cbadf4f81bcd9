import { BentoError } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { type Kafka, type Message, Partitioners, type RecordMetadata } from 'kafkajs';
import type { DriverProducer, DriverRecord } from '../driver.ts';
import { type InternalCluster, withCluster } from './internals.ts';

/** Until the deadline, which is ours. */
const retry = {
  retries: Number.MAX_SAFE_INTEGER,
  initialRetryTime: 50,
  maxRetryTime: 1_000,
  multiplier: 2,
  factor: 0.2,
};

/** Java's partitioner, but a record stays where its first try went: a keyless one would be stored twice otherwise. */
export const createPartitioner: typeof Partitioners.DefaultPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (args) => (args.message.partition ??= choose(args));
};

/** An idempotent producer of kafkajs. Two calls a topic at once would be able to take each other's sequence numbers after an error. */
export class KafkaJsProducer implements DriverProducer {
  readonly #producer: ReturnType<Kafka['producer']>;
  readonly #stop: () => void;
  readonly #pending = new Set<Promise<unknown>>();

  private constructor(producer: ReturnType<Kafka['producer']>, cluster: InternalCluster) {
    this.#producer = producer;
    this.#stop = stopper(cluster);
  }

  static async open(client: Kafka): Promise<KafkaJsProducer> {
    const { made, cluster } = withCluster(client, (view) =>
      view.producer({ idempotent: true, createPartitioner, allowAutoTopicCreation: false, retry }),
    );
    try {
      await made.connect();
    } catch (error) {
      made.disconnect().catch(() => {});
      throw error;
    }
    return new KafkaJsProducer(made, cluster);
  }

  async send(topic: string, records: readonly DriverRecord[], timeoutMs: number): Promise<void> {
    const sent = this.#producer.send({ topic, messages: records as Message[], acks: -1 });
    this.#pending.add(sent);
    const settled = (): boolean => this.#pending.delete(sent);
    sent.then(settled, settled);
    const stored = await withDeadline(sent, timeoutMs, () => {
      // Or it would go on trying, and be stored behind what is published next.
      this.#stop();
      throw lateError(topic, timeoutMs);
    });
    checkAllStored(stored, new Map([[topic, records]]));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    this.#stop();
    await this.#producer.disconnect().catch(() => {});
  }
}

/** Ends the tries of a producer: the next one fails at once and for good. */
export function stopper(cluster: InternalCluster): () => void {
  const add = cluster.addMultipleTargetTopics.bind(cluster);
  let stopped = false;
  cluster.addMultipleTargetTopics = (topics) =>
    stopped ? Promise.reject(Object.assign(new Error('The producer was closed'), { retriable: false })) : add(topics);
  return () => {
    stopped = true;
  };
}

/**
 * kafkajs takes a broker that has answered as done. When the leader of a partition moves to such a broker between two tries, its records
 * are never sent, and the call succeeds all the same; only the answers tell.
 */
export function checkAllStored(
  stored: readonly RecordMetadata[],
  sent: ReadonlyMap<string, readonly DriverRecord[]>,
): void {
  const answered = new Set(stored.map(({ topicName, partition }) => `${topicName} ${partition}`));
  for (const [topic, records] of sent)
    for (const { partition } of records)
      if (!answered.has(`${topic} ${partition}`))
        throw new BentoError(
          'PUBLISH',
          `kafka-adapter: cannot publish to "${topic}": no broker has confirmed partition ${partition}. Publish it again.`,
          true,
        );
}

export const lateError = (topic: string, timeoutMs: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `kafka-adapter: cannot publish to "${topic}": no confirmation came within ${timeoutMs} ms. See that the brokers run; then publish it again.`,
    true,
  );
