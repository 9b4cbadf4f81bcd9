import type { Kafka } from 'kafkajs';
import type { FetchedRecord } from '../driver.ts';
import { type InternalBroker, type InternalPartitionData, type InternalRecord, withCluster } from './internals.ts';

const readCommitted = 1;

/**
 * The last committed record of a topic with one partition, without joining a group. Looks at the end first, since a compacted topic is
 * compacted late: then at twice as much, and so on.
 */
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
    for (let span = 64; ; span *= 2) {
      const from = Math.max(begin, end - span);
      const last = await lastIn(broker, topic, from, end);
      if (last !== undefined || from === begin) return last;
    }
  } finally {
    await made.disconnect().catch(() => {});
  }
}

/** `end` is the last stable offset: below it every transaction has ended. */
async function lastIn(
  broker: InternalBroker,
  topic: string,
  from: number,
  end: number,
): Promise<InternalRecord | undefined> {
  let last: InternalRecord | undefined;
  for (let next = from; next < end; ) {
    const partitions = [{ partition: 0, fetchOffset: String(next), maxBytes: 1_048_576 }];
    const { responses } = await broker.fetch({
      isolationLevel: readCommitted,
      maxWaitTime: 500,
      topics: [{ topic, partitions }],
    });
    const data = responses[0]?.partitions[0];
    // Batches come whole, also the part of the first one that was not asked for.
    const at = Number(data?.messages.at(-1)?.offset ?? -1);
    // What compaction has taken away at the end is never delivered.
    if (data === undefined || at < next) break;
    last = committedOf(data).findLast(({ offset }) => Number(offset) >= from) ?? last;
    next = at + 1;
  }
  return last;
}

/** Records of transactions that were committed, and records outside of transactions. */
function committedOf({ messages, abortedTransactions }: InternalPartitionData): InternalRecord[] {
  const aborted = (abortedTransactions ?? []).toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const open = new Set<string>();
  return messages.filter(({ offset, key, isControlRecord, batchContext: { producerId, inTransaction } }) => {
    while (aborted[0] !== undefined && Number(aborted[0].firstOffset) <= Number(offset))
      open.add((aborted.shift() as { readonly producerId: string }).producerId);
    // A control record's key: version and type, both int16; type 0 aborts.
    if (isControlRecord && key?.readInt16BE(2) === 0) open.delete(producerId);
    return !isControlRecord && !(inTransaction && open.has(producerId));
  });
}
