import { setTimeout } from 'node:timers/promises';
import { type Message, Partitioners, type Producer, type RetryOptions } from 'kafkajs';
import type { DriverRecord } from '../driver.ts';
import type { InternalCluster } from './internals.ts';

/** Until the deadline, which is ours. */
export const retry: RetryOptions = {
  retries: Number.MAX_SAFE_INTEGER,
  initialRetryTime: 50,
  maxRetryTime: 1_000,
  multiplier: 2,
  factor: 0.2,
};

/** Partitions are chosen before kafkajs sees a record: a keyless one would go elsewhere with each try, and be stored twice. */
export const createPartitioner: typeof Partitioners.DefaultPartitioner =
  () =>
  ({ message }) =>
    message.partition as number;

/** Nothing was sent: the partitions of one request have several leaders by now. */
const split = Object.assign(new Error('The partitions have different leaders'), { retriable: false });
const stopped = Object.assign(new Error('The producer was closed'), { retriable: false });

/**
 * Sends each record once, whatever fails. A call of kafkajs that goes to several brokers does not: when one of them fails it tries again
 * while others are still at work, which stores theirs twice; and when the leader of a partition has moved to a broker that has answered already, it
 * is never sent, and the call succeeds. So a call goes to one broker only, and is refused when that changes.
 */
export class Sending {
  readonly #cluster: InternalCluster;
  readonly #leaders: InternalCluster['findLeaderForPartitions'];
  /** Java's, by murmur2; keyless records go around. */
  readonly #choose = Partitioners.DefaultPartitioner();
  #isStopped = false;
  /** What the last try of a topic failed of; kafkajs tries again, and tells nobody. */
  readonly #faults = new Map<string, unknown>();

  constructor(cluster: InternalCluster) {
    this.#cluster = cluster;
    this.#leaders = cluster.findLeaderForPartitions.bind(cluster);
    cluster.findLeaderForPartitions = (topic, partitions) => {
      const leaders = this.#leaders(topic, partitions);
      if (Object.keys(leaders).length > 1) throw split;
      return leaders;
    };
    this.#watch();
    const add = cluster.addMultipleTargetTopics.bind(cluster);
    // Every try begins with it.
    cluster.addMultipleTargetTopics = (topics) => (this.#isStopped ? Promise.reject(stopped) : add(topics));
  }

  /** Ends the tries: the next one fails at once and for good. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Why the topic is not stored yet, as far as a broker has said it. */
  faultOf(topic: string): unknown {
    return this.#faults.get(topic);
  }

  /** Resolves when all are stored. At rest when it has ended: nothing is under way any more. */
  async send(
    sender: Pick<Producer, 'send'>,
    topic: string,
    records: readonly DriverRecord[],
    { parallel }: { readonly parallel: boolean },
  ): Promise<void> {
    for (let left = records; ; ) {
      const groups = await this.#byLeader(topic, left);
      const outcomes: PromiseSettledResult<unknown>[] = [];
      const send = (messages: readonly DriverRecord[]): Promise<unknown> =>
        sender.send({ topic, messages: messages as Message[], acks: -1 });
      if (parallel) outcomes.push(...(await Promise.allSettled(groups.map(send))));
      else for (const group of groups) outcomes.push(...(await Promise.allSettled([send(group)])));
      const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
      const fatal = failed.find(({ reason }) => reason !== split);
      if (fatal !== undefined) throw fatal.reason;
      if (failed.length === 0) return;
      left = groups.filter((_, index) => outcomes[index]?.status === 'rejected').flat();
    }
  }

  #watch(): void {
    const cluster = this.#cluster;
    const find = cluster.findBroker.bind(cluster);
    const watched = new WeakSet<object>();
    cluster.findBroker = async (node) => {
      const broker = await find(node);
      if (watched.has(broker)) return broker;
      watched.add(broker);
      const produce = broker.produce.bind(broker);
      broker.produce = async (request) => {
        const topics = request.topicData.map(({ topic }) => topic);
        try {
          const answer: unknown = await produce(request);
          for (const topic of topics) this.#faults.delete(topic);
          return answer;
        } catch (error) {
          for (const topic of topics) this.#faults.set(topic, error);
          throw error;
        }
      };
      return broker;
    };
  }

  async #byLeader(topic: string, records: readonly DriverRecord[]): Promise<readonly (readonly DriverRecord[])[]> {
    const partitionMetadata = await this.#metadata(topic);
    const byPartition = new Map<number, DriverRecord[]>();
    for (const record of records) {
      record.partition ??= this.#choose({ topic, partitionMetadata, message: record as Message });
      const group = byPartition.get(record.partition);
      if (group === undefined) byPartition.set(record.partition, [record]);
      else group.push(record);
    }
    const leaders = this.#leaders(topic, [...byPartition.keys()]);
    return Object.values(leaders).map((partitions) =>
      partitions.flatMap((partition) => byPartition.get(partition) as DriverRecord[]),
    );
  }

  /** As kafkajs knows it: each failure makes it look again. */
  async #metadata(topic: string): Promise<ReturnType<InternalCluster['findTopicPartitionMetadata']>> {
    const cluster = this.#cluster;
    for (let wait = 50; ; wait = Math.min(1_000, wait * 2)) {
      try {
        await cluster.addMultipleTargetTopics([topic]);
        await cluster.refreshMetadataIfNecessary();
        const metadata = cluster.findTopicPartitionMetadata(topic);
        if (metadata.length > 0) return metadata;
        await cluster.refreshMetadata();
      } catch (error) {
        if ((error as { readonly retriable?: boolean }).retriable === false) throw error;
      }
      await setTimeout(wait);
    }
  }
}
