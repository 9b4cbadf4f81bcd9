import { setTimeout } from 'node:timers/promises';
import { BentoError } from '@bento-bus/core';
import { fullJitter } from '@bento-bus/core/adapter';
import { AssignerProtocol, type Consumer, type Kafka, type MemberDescription } from 'kafkajs';
import { toBentoError } from '../errors.ts';
import { decodeFast } from '../kafkajs/decode-fast.ts';
import { type InternalBroker, type InternalCluster, withCluster } from '../kafkajs/internals.ts';
import { limited } from './limited.ts';
import { type Overview, overviewOf } from './overview.ts';

/** Where the partitions of a topic are, by number, ascending. */
export interface TopicPlace {
  readonly topic: string;
  readonly leaders: readonly number[];
}

/** A member of a group as its coordinator knows it. */
interface KnownMember {
  readonly id: string;
  readonly address: string;
  /** Topics that it reads; empty while the group is rebalancing. */
  readonly topics: readonly string[];
  readonly assignment: Readonly<Record<string, readonly number[]>>;
}

/** A group as its coordinator knows it. */
export interface KnownGroup {
  readonly group: string;
  readonly members: readonly KnownMember[];
}

/** Messages that are part of a transaction under way do not count, as nobody gets them yet. */
const readCommitted = 1;

/** Groups in one request. */
const groupsAtOnce = 100;

/** The connections of one admin. They are made when they are needed first; after a failure what is known of the brokers is asked anew. */
export class AdminConnection {
  readonly #client: Kafka;
  readonly #timeoutMs: number;
  #opened: Promise<{ readonly consumer: Consumer; readonly cluster: InternalCluster }> | undefined;

  constructor(client: Kafka, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
  }

  /** Tries until `timeoutMs`, or less long, as long as that may help. `what` says what cannot be done. */
  async run<T>(what: string, work: () => Promise<T>, patienceMs: number = this.#timeoutMs): Promise<T> {
    const deadline = Date.now() + Math.min(this.#timeoutMs, patienceMs);
    const backoff = fullJitter({ baseMs: 50, capMs: 1_000 });
    for (let failures = 1; ; failures += 1) {
      try {
        return await work();
      } catch (cause) {
        const error = toBentoError(cause, what);
        const wait = backoff(failures);
        if (!error.retryable || Date.now() + wait >= deadline) throw error;
        await setTimeout(wait);
        await this.#cluster()
          .then((cluster) => cluster.refreshMetadata())
          .catch(() => this.#drop());
      }
    }
  }

  async close(): Promise<void> {
    await this.#drop();
  }

  /** Any broker that answers. */
  async any(): Promise<InternalBroker> {
    const cluster = await this.#cluster();
    const [nodeId] = cluster.getNodeIds();
    return cluster.findBroker({ nodeId: nodeId ?? '' });
  }

  async all(): Promise<readonly InternalBroker[]> {
    const cluster = await this.#cluster();
    return Promise.all(cluster.getNodeIds().map((nodeId) => cluster.findBroker({ nodeId })));
  }

  async node(nodeId: number): Promise<InternalBroker> {
    return (await this.#cluster()).findBroker({ nodeId: String(nodeId) });
  }

  async controller(): Promise<InternalBroker> {
    return (await this.#cluster()).findControllerBroker();
  }

  async coordinator(groupId: string): Promise<InternalBroker> {
    return (await this.#cluster()).findGroupCoordinator({ groupId });
  }

  /** All topics, with what the brokers made for themselves. */
  async topics(): Promise<readonly { readonly topic: string; readonly isInternal: boolean }[]> {
    return (await this.overview()).topics;
  }

  /** The cluster as one of its brokers sees it. */
  async overview(): Promise<Overview> {
    // No topics: all of them.
    return overviewOf(await (await this.any()).metadata([]));
  }

  /** Undefined: there is no such topic. */
  async find(topic: string, broker?: InternalBroker): Promise<TopicPlace | undefined> {
    try {
      const { topicMetadata } = await (broker ?? (await this.any())).metadata([topic]);
      const partitions = topicMetadata[0]?.partitionMetadata ?? [];
      const leaders = partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader);
      return { topic, leaders };
    } catch (error) {
      if ((error as { readonly type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
      throw error;
    }
  }

  /** Every broker has heard of it. */
  async everywhere(topic: string, isSo: (place: TopicPlace | undefined) => boolean): Promise<void> {
    for (const broker of await this.all())
      if (!isSo(await this.find(topic, broker)))
        throw new BentoError(
          'TIMEOUT',
          `kafka-adapter: cannot use topic "${topic}": a broker has not heard of the change yet. Try again.`,
          true,
        );
  }

  /** Where each partition stands: its first message, and the one after its last, or at a time. */
  async offsets(
    { topic, leaders }: TopicPlace,
    at: 'earliest' | 'latest' | { readonly time: number },
  ): Promise<readonly number[]> {
    const timestamp = at === 'earliest' ? -2 : at === 'latest' ? -1 : at.time;
    const offsets: number[] = [];
    await Promise.all(
      [...new Set(leaders)].map(async (leader) => {
        const broker = await this.node(leader);
        const partitions = [...leaders.keys()].filter((partition) => leaders[partition] === leader);
        const asked = partitions.map((partition) => ({ partition, timestamp }));
        const { responses } = await broker.listOffsets({
          replicaId: -1,
          isolationLevel: readCommitted,
          topics: [{ topic, partitions: asked }],
        });
        for (const { partition, offset } of responses.flatMap((response) => response.partitions))
          offsets[partition] = Number(offset);
      }),
    );
    return offsets;
  }

  /** All groups, with the broker that coordinates them. */
  async groups(): Promise<readonly { readonly group: string; readonly broker: InternalBroker }[]> {
    const lists = await Promise.all(
      (await this.all()).map(async (broker) => {
        const { groups } = await broker.listGroups();
        return groups.map(({ groupId }) => ({ group: groupId, broker }));
      }),
    );
    return lists.flat();
  }

  /** By name. A group that is not there has no members. */
  async known(broker: InternalBroker, groups: readonly string[]): Promise<readonly KnownGroup[]> {
    const parts = Array.from({ length: Math.ceil(groups.length / groupsAtOnce) }, (_, index) =>
      groups.slice(index * groupsAtOnce, (index + 1) * groupsAtOnce),
    );
    const answers = await limited(4, parts, (groupIds) => broker.describeGroups({ groupIds: [...groupIds] }));
    return answers.flatMap((answer) =>
      answer.groups.map(({ groupId, protocolType, members }) => ({
        group: groupId,
        // Of Kafka Connect and the like, who read nothing by themselves.
        members: protocolType === 'consumer' ? members.map(memberOf) : [],
      })),
    );
  }

  async #cluster(): Promise<InternalCluster> {
    this.#opened ??= this.#open();
    const opening = this.#opened;
    try {
      return (await opening).cluster;
    } catch (error) {
      if (this.#opened === opening) this.#opened = undefined;
      throw error;
    }
  }

  async #open(): Promise<{ readonly consumer: Consumer; readonly cluster: InternalCluster }> {
    // An admin of kafkajs would make the topics that it asks for, where the broker does that.
    const { made: consumer, cluster } = withCluster(this.#client, (view) =>
      view.consumer({ groupId: 'never-joined', readUncommitted: false, allowAutoTopicCreation: false }),
    );
    decodeFast(cluster);
    try {
      await consumer.connect();
      await cluster.refreshMetadata();
      return { consumer, cluster };
    } catch (error) {
      await consumer.disconnect().catch(() => {});
      throw error;
    }
  }

  async #drop(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.then(({ consumer }) => consumer.disconnect()).catch(() => {});
  }
}

const read = <T>(bytes: Buffer, decode: (bytes: Buffer) => T | null): T | null =>
  bytes.length === 0 ? null : decode(bytes);

function memberOf({ memberId, clientHost, memberMetadata, memberAssignment }: MemberDescription): KnownMember {
  const metadata = read(memberMetadata, (bytes) => AssignerProtocol.MemberMetadata.decode(bytes));
  const assigned = read(memberAssignment, (bytes) => AssignerProtocol.MemberAssignment.decode(bytes));
  return {
    id: memberId,
    // Java writes a slash before it.
    address: clientHost.replace(/^\//, ''),
    topics: metadata?.topics ?? [],
    assignment: assigned?.assignment ?? {},
  };
}
