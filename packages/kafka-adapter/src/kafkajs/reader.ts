import type { Kafka } from 'kafkajs';
import type { FetchedRecord, TopicPartition } from '../driver.ts';
import { committedOf, type FetchFrom, lastBetween, recordsBetween } from '../last-record.ts';
import { type InternalBroker, type InternalRecord, withCluster } from './internals.ts';

const readCommitted = 1;

/** Committed records of a partition from `from` up to `end`, its last stable offset: below it every transaction has ended. */
export const committedRecords = (
  broker: InternalBroker,
  { topic, partition, from, end }: TopicPartition & { readonly from: number; readonly end: number },
): AsyncGenerator<FetchedRecord> => recordsBetween(from, end, fetchOf(broker, topic, partition));

/** The last committed record of a topic with one partition, without joining a group. */
export async function readLastRecord(client: Kafka, topic: string): Promise<FetchedRecord | undefined> {
  const { made, cluster } = withCluster(client, (view) =>
    view.consumer({ groupId: 'never-joined', readUncommitted: false, allowAutoTopicCreation: false }),
  );
  try {
    await made.connect();
    await cluster.addMultipleTargetTopics([topic]);
    const edge = async (fromBeginning: boolean): Promise<number> => {
      const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition: 0 }], fromBeginning }]);
      return Number(found?.partitions[0]?.offset ?? 0);
    };
    const [begin, end] = [await edge(true), await edge(false)];
    const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [0]));
    const broker = await cluster.findBroker({ nodeId: leader as string });
    return await lastBetween(begin, end, fetchOf(broker, topic, 0));
  } finally {
    await made.disconnect().catch(() => {});
  }
}

const fetchOf =
  (broker: InternalBroker, topic: string, partition: number): FetchFrom<InternalRecord> =>
  async (from) => {
    const { responses } = await broker.fetch({
      isolationLevel: readCommitted,
      maxWaitTime: 500,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes: 1_048_576 }] }],
    });
    const data = responses[0]?.partitions[0];
    if (data === undefined) return undefined;
    const { messages, abortedTransactions } = data;
    const next = Number(messages.at(-1)?.offset ?? -1) + 1;
    return { records: committedOf(messages, abortedTransactions ?? []), next };
  };
