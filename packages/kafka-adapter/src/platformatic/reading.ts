import { BentoError } from '@bento-bus/core';
import {
  type Connection,
  compressionsAlgorithmsByBitmask,
  fetchV11,
  listOffsetsV5,
  UnsupportedCompressionError,
} from '@platformatic/kafka';
import { type DecodedFetch, type Decompress, decodeFetch } from '../kafkajs/fetch-decoder.ts';
import { ask, type Cluster } from './cluster.ts';
import { type ClientError, faultOf } from './faults.ts';

/** Messages of transactions under way do not count. */
const readCommitted = 1;
const bytesOfPartition = 1_048_576;
const bytesOfFetch = 10_485_760;

/** One partition of a fetch. */
export interface FetchRequest {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Waits up to `waitMs` for something to fetch. */
export async function fetchFrom(
  connection: Connection,
  asked: readonly FetchRequest[],
  waitMs: number,
): Promise<DecodedFetch> {
  const topics = new Map<string, FetchRequest[]>();
  for (const one of asked) {
    const partitions = topics.get(one.topic);
    if (partitions === undefined) topics.set(one.topic, [one]);
    else partitions.push(one);
  }
  const request = Array.from(topics, ([topicId, partitions]) => ({
    topicId,
    partitions: partitions.map(({ partition, offset }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: bytesOfPartition,
    })),
  }));
  // Without a session of the broker: every request says all.
  const create = () => fetchV11.createRequest(waitMs, 1, bytesOfFetch, readCommitted, 0, -1, request, [], '');
  const { key, version } = fetchV11.api;
  try {
    return await new Promise((resolve, reject) => {
      connection.send(key, version, create, read, false, false, (error, fetched) =>
        fetched === undefined ? reject(error) : resolve(fetched),
      );
    });
  } catch (error) {
    throw faultOf(error, connection);
  }
}

function read(...[, , , reader]: Parameters<typeof fetchV11.parseResponse>): DecodedFetch {
  const decoded = decodeFetch(reader.buffer.buffer, decompress);
  if (decoded === undefined) throw unreadable('they are older than Kafka 0.11', 'Read them with the driver on kafkajs');
  return decoded;
}

const decompress: Decompress = (compression, packed) => {
  try {
    return (compressionsAlgorithmsByBitmask[compression] as { decompressSync: Decompressor }).decompressSync(packed);
  } catch (error) {
    if (!(error instanceof UnsupportedCompressionError)) throw error;
    throw unreadable(`they are packed with zstd, which Node.js ${process.versions.node} lacks`, 'Use Node.js 22.22');
  }
};

type Decompressor = (packed: Buffer) => Buffer;

const unreadable = (cause: string, advice: string): BentoError =>
  new BentoError('UNSUPPORTED', `kafka-adapter: cannot read the records: ${cause}. ${advice}.`);

const special = { earliest: -2n, latest: -1n } as const;

/** Where the partitions of a topic begin, end (as far as every transaction has ended), or stand at a time; -1: nothing is as late. */
export async function offsetsAt(
  cluster: Cluster,
  topic: string,
  at: 'earliest' | 'latest' | { readonly time: number },
): Promise<ReadonlyMap<number, number>> {
  const timestamp = typeof at === 'string' ? special[at] : BigInt(at.time);
  const leaders = await cluster.leaders(topic);
  const found = new Map<number, number>();
  await Promise.all(
    Array.from(new Set(leaders), async (leader) => {
      const partitions = [...leaders.keys()].filter((partition) => leaders[partition] === leader);
      const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }));
      try {
        const { topics } = await ask(cluster.node(leader), listOffsetsV5.api, -1, readCommitted, [
          { name: topic, partitions: asked },
        ]);
        for (const { partitionIndex, offset } of topics[0]?.partitions ?? []) found.set(partitionIndex, Number(offset));
      } catch (error) {
        // It may have another leader.
        cluster.forget(topic);
        throw error as ClientError;
      }
    }),
  );
  return found;
}
