import { withDeadline } from '@bento-bus/core/adapter';
import { AssignerProtocol, type Consumer, type EachBatchPayload, type Kafka } from 'kafkajs';
import type {
  CommittedOffset,
  ConsumerEvents,
  ConsumerOptions,
  DriverConsumer,
  FetchedRecord,
  FetchPosition,
  Membership,
  OffsetLookup,
  TopicPartition,
} from '../driver.ts';
import { textOf } from '../errors.ts';
import { createAssigner, type Owned } from './assigner.ts';
import { decodeFast } from './decode-fast.ts';
import { type InternalBroker, type InternalCluster, withCluster } from './internals.ts';

/** It goes on with the same membership as long as that can be; what ends a member is the coordinator's to say. */
const retry = {
  retries: Number.MAX_SAFE_INTEGER,
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  multiplier: 2,
  factor: 0.2,
  // Its user starts it again, with all that belongs to it.
  restartOnFailure: async () => false,
};

/** How long an empty fetch waits at the broker; pausing, resuming and closing wait for it too. */
const maxWaitTimeInMs = 200;

/** How many batches may be in `ConsumerEvents.batch` at once; the others of a fetch wait for them. */
const batchesAtOnce = 64;

/** A member of a group by kafkajs, with what that lacks: a hook before partitions are given up, and one before they are read. */
export class KafkaJsConsumer implements DriverConsumer {
  readonly #options: ConsumerOptions;
  readonly #events: ConsumerEvents;
  readonly #consumer: Consumer;
  readonly #cluster: InternalCluster;
  #owned: Owned = { generation: -1, partitions: [] };
  /** Where to go on; told to kafkajs once it knows its new assignment. */
  #positions: readonly FetchPosition[] = [];
  #generation = -1;
  #memberId = '';
  /** For the first time. */
  #joined = false;
  #ended = false;

  private constructor(client: Kafka, options: ConsumerOptions, events: ConsumerEvents) {
    this.#options = options;
    this.#events = events;
    const { made, cluster } = withCluster(client, (view) =>
      view.consumer({
        groupId: options.group,
        partitionAssigners: [
          () =>
            createAssigner(
              (topic) => this.#partitionsOf(topic),
              () => this.#owned,
            ),
        ],
        sessionTimeout: options.sessionTimeoutMs,
        rebalanceTimeout: options.rebalanceTimeoutMs,
        heartbeatInterval: options.heartbeatIntervalMs,
        maxWaitTimeInMs,
        allowAutoTopicCreation: false,
        readUncommitted: false,
        retry,
      }),
    );
    this.#consumer = made;
    this.#cluster = cluster;
    decodeFast(cluster);
    const find = cluster.findGroupCoordinator.bind(cluster);
    const seen = new WeakSet<InternalBroker>();
    cluster.findGroupCoordinator = async (request) => {
      const broker = await find(request);
      if (!seen.has(broker)) this.#watch(broker);
      seen.add(broker);
      return broker;
    };
  }

  static async open(client: Kafka, options: ConsumerOptions, events: ConsumerEvents): Promise<KafkaJsConsumer> {
    const consumer = new KafkaJsConsumer(client, options, events);
    try {
      await consumer.#start();
      return consumer;
    } catch (error) {
      await consumer.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    const closed = this.#consumer.disconnect().catch(() => {});
    // A broker that is gone answers nothing, and the group misses its member when the session ends.
    await withDeadline(closed, 5_000, () => {});
  }

  async #start(): Promise<void> {
    const { topics } = this.#options;
    const consumer = this.#consumer;
    await consumer.connect();
    // Where retention has passed by a position, kafkajs goes on with the earliest record.
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await this.#events.connected(this.#lookup());
    consumer.on(consumer.events.GROUP_JOIN, () => {
      for (const { topic, partition, next, paused } of this.#positions) {
        consumer.seek({ topic, partition, offset: String(next) });
        consumer[paused ? 'pause' : 'resume']([{ topic, partitions: [partition] }]);
      }
    });
    const crash: { error?: unknown } = {};
    consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
      crash.error = error;
      const isNews = this.#joined && !this.#ended;
      // It takes no calls any more.
      this.#ended = true;
      if (isNews) this.#events.crashed(error);
    });
    // Resolves when it has joined, and when it has crashed.
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: batchesAtOnce,
      eachBatch: (payload) => this.#batch(payload),
    });
    if ('error' in crash) throw crash.error;
    this.#joined = true;
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { topic, partition } = batch;
    const records = batch.messages as readonly FetchedRecord[];
    const last = batch.lastOffset();
    const from = Number((batch as unknown as { readonly fetchedOffset: string }).fetchedOffset);
    const accept = (): void => payload.resolveOffset(last);
    const fetched = { topic, partition, records, from, next: Number(last) + 1, accept };
    await this.#events.batch(fetched, () => payload.heartbeat());
  }

  /** Puts our hooks around the requests by which a member gives up and gets its partitions. */
  #watch(broker: InternalBroker): void {
    const join = broker.joinGroup.bind(broker);
    const sync = broker.syncGroup.bind(broker);
    broker.joinGroup = (request) =>
      this.#orAgain(async () => {
        await this.#events.beforeJoin();
        const group = await join(request);
        this.#generation = group.generationId;
        this.#memberId = group.memberId;
        return group;
      });
    broker.syncGroup = (request) =>
      this.#orAgain(async () => {
        const synced = await sync(request);
        const { assignment = {} } = AssignerProtocol.MemberAssignment.decode(synced.memberAssignment) ?? {};
        const partitions = Object.entries(assignment).flatMap(([topic, numbers]) =>
          numbers.map((partition) => ({ topic, partition })),
        );
        this.#positions = await this.#events.assigned(partitions, this.#membership());
        this.#owned = { generation: this.#generation, partitions };
        return synced;
      });
  }

  /**
   * A step of joining again. Where it fails by what another try may mend, such as a coordinator that is loading, kafkajs goes on as before;
   * the broker may still count it a member, but its partitions are given up: told of a rebalance, kafkajs joins again. What it answers by
   * itself it does not take for retriable, but for a coordinator that has moved, which means the same to it.
   */
  async #orAgain<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const { retriable } = error as { readonly retriable?: unknown };
      if (!this.#joined || this.#ended || retriable !== true) throw error;
      throw Object.assign(new Error(textOf(error), { cause: error }), { type: 'REBALANCE_IN_PROGRESS' });
    }
  }

  #membership(): Membership {
    const member = { groupId: this.#options.group, groupGenerationId: this.#generation, memberId: this.#memberId };
    let found: Promise<InternalBroker> | undefined;
    const ask = async <T>(request: (coordinator: InternalBroker) => Promise<T>): Promise<T> => {
      try {
        return await request(await (found ??= this.#cluster.findGroupCoordinator({ groupId: member.groupId })));
      } catch (error) {
        // It may be another one by now.
        found = undefined;
        throw error;
      }
    };
    const whileOpen = (act: () => void): void => {
      if (!this.#ended) act();
    };
    return {
      committed: (partitions) => this.#committed(partitions),
      commit: async (offsets) => {
        const topics = grouped(offsets, ({ partition, offset, metadata }) => ({ partition, offset, metadata }));
        await ask((coordinator) => coordinator.offsetCommit({ ...member, topics }));
      },
      heartbeat: async () => {
        await ask((coordinator) => coordinator.heartbeat(member));
      },
      pause: ({ topic, partition }) => whileOpen(() => this.#consumer.pause([{ topic, partitions: [partition] }])),
      resume: ({ topic, partition }) => whileOpen(() => this.#consumer.resume([{ topic, partitions: [partition] }])),
      seek: ({ topic, partition }, offset) =>
        whileOpen(() => this.#consumer.seek({ topic, partition, offset: String(offset) })),
    };
  }

  #lookup(): OffsetLookup {
    const cluster = this.#cluster;
    const partitions = (topic: string): number[] => this.#partitionsOf(topic);
    const list = async (topic: string, at: { fromBeginning: boolean } | { fromTimestamp: number }) => {
      const asked = { topic, partitions: partitions(topic).map((partition) => ({ partition })), ...at };
      const answers = (await cluster.fetchTopicsOffset([asked])).flatMap((answer) => answer.partitions);
      return new Map(answers.map(({ partition, offset }) => [partition, Number(offset)]));
    };
    return {
      partitions,
      committed: (asked) => this.#committed(asked),
      offsets: async (topic, at) => {
        const end = await list(topic, { fromBeginning: at === 'earliest' });
        if (typeof at === 'string') return end;
        // -1: nothing is as late as that.
        const found = await list(topic, { fromTimestamp: at.time });
        return new Map(
          [...end].map(([partition, offset]) => [
            partition,
            Math.max(found.get(partition) ?? -1, -1) >= 0 ? (found.get(partition) as number) : offset,
          ]),
        );
      },
    };
  }

  #partitionsOf(topic: string): number[] {
    return this.#cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
  }

  async #committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const groupId = this.#options.group;
    const broker = await this.#cluster.findGroupCoordinator({ groupId });
    const topics = grouped(partitions, ({ partition }) => ({ partition }));
    const { responses } = await broker.offsetFetch({ groupId, topics });
    return responses.flatMap(({ topic, partitions: found }) =>
      found.map(({ partition, offset, metadata }) => ({
        topic,
        partition,
        offset: Number(offset),
        metadata: metadata ?? '',
      })),
    );
  }
}

/** In the form of the protocol: partitions by topic. */
function grouped<T extends TopicPartition, P>(
  all: readonly T[],
  view: (one: T) => P,
): readonly { readonly topic: string; readonly partitions: readonly P[] }[] {
  const topics = new Map<string, P[]>();
  for (const one of all) {
    const partitions = topics.get(one.topic) ?? [];
    topics.set(one.topic, partitions);
    partitions.push(view(one));
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}
