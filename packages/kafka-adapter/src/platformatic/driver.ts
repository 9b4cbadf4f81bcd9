import { setTimeout } from 'node:timers/promises';
import { BentoError } from '@bento-bus/core';
import { createTopicsV5, deleteRecordsV1 } from '@platformatic/kafka';
import type { Driver, FetchedRecord } from '../driver.ts';
import { committedOf, lastBetween } from '../last-record.ts';
import type { ResolvedOptions } from '../options.ts';
import { ask, Cluster, retrying, soon } from './cluster.ts';
import { PlatformaticConsumer } from './consumer.ts';
import { typeOf } from './faults.ts';
import { PlatformaticProducer, PlatformaticTransactionalProducer } from './producer.ts';
import { fetchFrom, offsetsAt } from './reading.ts';

/** A driver on the requests of @platformatic/kafka. */
export function createPlatformaticDriver(options: ResolvedOptions): Driver {
  const cluster = new Cluster(options);
  const { requestTimeoutMs } = options;
  const tried = <T>(work: () => Promise<T>): Promise<T> => retrying(soon(options), work);

  /** Every partition of the topic has a leader that the broker asked knows of. */
  const exists = (topic: string): Promise<boolean> =>
    tried(async () => {
      const state = (await cluster.look([topic])).get(topic);
      const type = typeOf(state?.error);
      if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'LEADER_NOT_AVAILABLE') return false;
      if (state?.error !== undefined) throw state.error;
      return state !== undefined && state.leaders.length > 0 && state.leaders.every((leader) => leader >= 0);
    });

  const lastRecord = (topic: string): Promise<FetchedRecord | undefined> =>
    tried(async () => {
      // It may have moved since.
      cluster.forget(topic);
      const [leader = -1] = await cluster.leaders(topic);
      const edge = async (at: 'earliest' | 'latest'): Promise<number> =>
        (await offsetsAt(cluster, topic, at)).get(0) ?? 0;
      const [begin, end] = [await edge('earliest'), await edge('latest')];
      const connection = await cluster.node(leader);
      return lastBetween(begin, end, async (offset) => {
        const { responses } = await fetchFrom(connection, [{ topic, partition: 0, offset }], 500);
        const data = responses[0]?.partitions[0];
        if (data?.next === undefined) return undefined;
        return { records: committedOf(data.messages, data.abortedTransactions), next: data.next };
      });
    });

  return {
    producer: () => PlatformaticProducer.open(options),
    transactional: (id) => PlatformaticTransactionalProducer.open(options, id),
    consume: (consumer, events) => PlatformaticConsumer.open(options, consumer, events),
    lastRecord,
    exists,
    async create({ topic, partitions, replicationFactor, config }) {
      const deadline = Date.now() + requestTimeoutMs;
      const request = {
        name: topic,
        numPartitions: partitions ?? -1,
        replicationFactor: replicationFactor ?? -1,
        assignments: [],
        configs: Object.entries(config).map(([name, value]) => ({ name, value })),
      };
      try {
        await cluster.control(deadline, createTopicsV5.api, [request], requestTimeoutMs, false);
      } catch (error) {
        if (typeOf(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
      }
      // Brokers hear of it one by one.
      while (!(await exists(topic))) {
        if (Date.now() > deadline) throw unheardOf(topic, requestTimeoutMs);
        await setTimeout(50);
      }
    },
    topics: () => tried(async () => [...(await cluster.look()).keys()]),
    async trim(topic, offsets) {
      await tried(async () => {
        cluster.forget(topic);
        const leaders = await cluster.leaders(topic);
        for (const leader of new Set([...offsets.keys()].map((partition) => leaders[partition] ?? -1))) {
          const partitions = Array.from(offsets, ([partitionIndex, offset]) => ({
            partitionIndex,
            offset: BigInt(offset),
          }));
          const led = partitions.filter(({ partitionIndex }) => (leaders[partitionIndex] ?? -1) === leader);
          await ask(cluster.node(leader), deleteRecordsV1.api, [{ name: topic, partitions: led }], requestTimeoutMs);
        }
      });
    },
    async close() {
      cluster.connections.close();
    },
  };
}

const unheardOf = (topic: string, ms: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `kafka-adapter: cannot use topic "${topic}": it was made, and no broker serves it after ${ms} ms. See that the brokers run; then try again.`,
    true,
  );
