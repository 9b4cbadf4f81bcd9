import { BentoError } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { type Kafka, type Message, Partitioners, type Producer } from 'kafkajs';
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
    const sent = sendAll(this.#producer, new Map([[topic, records]]));
    this.#pending.add(sent);
    const settled = (): boolean => this.#pending.delete(sent);
    sent.then(settled, settled);
    await withDeadline(sent, timeoutMs, () => {
      // Or it would go on trying, and be stored behind what is published next.
      this.#stop();
      throw lateError(topic, timeoutMs);
    });
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
 * Sends until each partition is confirmed. kafkajs takes a broker that has answered as done: when the leader of a partition moves to such
 * a broker between two of its tries, the records of that partition are never sent, and the call succeeds all the same. Only the answers
 * tell. What is sent again keeps its sequence numbers, so that nothing is stored twice.
 */
export async function sendAll(
  sender: Pick<Producer, 'sendBatch'>,
  records: ReadonlyMap<string, readonly DriverRecord[]>,
): Promise<void> {
  for (let left = records; left.size > 0; ) {
    const topicMessages = Array.from(left, ([topic, messages]) => ({ topic, messages: messages as Message[] }));
    const answers = await sender.sendBatch({ acks: -1, topicMessages });
    const confirmed = new Set(answers.map(({ topicName, partition }) => `${topicName} ${partition}`));
    const missing = Array.from(left, ([topic, sent]) => {
      return [topic, sent.filter(({ partition }) => !confirmed.has(`${topic} ${partition}`))] as const;
    });
    left = new Map(missing.filter(([, sent]) => sent.length > 0));
  }
}

export const lateError = (topic: string, timeoutMs: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `kafka-adapter: cannot publish to "${topic}": no confirmation came within ${timeoutMs} ms. See that the brokers run; then publish it again.`,
    true,
  );
