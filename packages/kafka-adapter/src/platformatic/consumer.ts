import { setTimeout } from 'node:timers/promises';
import { fullJitter, withDeadline } from '@bento-bus/core/adapter';
import {
  type API,
  heartbeatV4,
  joinGroupV6,
  leaveGroupV4,
  offsetCommitV8,
  offsetFetchV6,
  syncGroupV4,
} from '@platformatic/kafka';
import { AssignerProtocol } from 'kafkajs';
import type {
  CommittedOffset,
  ConsumerEvents,
  ConsumerOptions,
  DriverConsumer,
  FetchedBatch,
  Membership,
  OffsetLookup,
  TopicPartition,
} from '../driver.ts';
import { isStaleMember } from '../errors.ts';
import { createAssigner, type Owned } from '../kafkajs/assigner.ts';
import type { ResolvedOptions } from '../options.ts';
import { Cluster, retrying } from './cluster.ts';
import { Connections } from './connections.ts';
import { ClientError, isRetriable, typeOf } from './faults.ts';
import { Fetcher } from './fetcher.ts';
import { offsetsAt } from './reading.ts';

/** How often it is looked whether topics have got more partitions. Milliseconds. */
const metadataAgeMs = 60_000;

/** How long leaving may take. Milliseconds. */
const farewellMs = 5_000;

const backoff = fullJitter({ baseMs: 100, capMs: 1_000 });

/**
 * A member of a group, by the requests of the classic protocol: the client's own consumer gives partitions up before anybody can finish
 * with them. The same assigner and the same metadata as with kafkajs: members by either are members of one group. In one file, since every
 * step of that protocol touches all that a member knows.
 */
export class PlatformaticConsumer implements DriverConsumer {
  readonly #given: ResolvedOptions;
  readonly #options: ConsumerOptions;
  readonly #events: ConsumerEvents;
  readonly #cluster: Cluster;
  /** Of its own: joining takes as long as the slowest member. */
  readonly #joining: Connections;
  readonly #assigner: ReturnType<typeof createAssigner>;
  readonly #stop = new AbortController();
  #owned: Owned = { generation: -1, partitions: [] };
  #generation = -1;
  #memberId = '';
  #fetcher: Fetcher | undefined;
  #lastBeat = 0;
  /** Ends the wait for the next beat. */
  #wake: (() => void) | undefined;
  #stale = false;
  #failure: { readonly error: unknown } | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(given: ResolvedOptions, options: ConsumerOptions, events: ConsumerEvents) {
    this.#given = given;
    this.#options = options;
    this.#events = events;
    this.#cluster = new Cluster(given);
    this.#joining = new Connections(given, options.rebalanceTimeoutMs + given.requestTimeoutMs);
    this.#assigner = createAssigner(
      (topic) => [...this.#cluster.known(topic).keys()],
      () => this.#owned,
    );
  }

  static async open(given: ResolvedOptions, options: ConsumerOptions, events: ConsumerEvents): Promise<DriverConsumer> {
    const consumer = new PlatformaticConsumer(given, options, events);
    try {
      await consumer.#start();
      return consumer;
    } catch (error) {
      await consumer.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#end();
    await this.#fetcher?.stop();
    this.#joining.close();
    await this.#leave();
    this.#cluster.connections.close();
    await this.#running;
  }

  async #start(): Promise<void> {
    const deadline = Date.now() + this.#given.requestTimeoutMs;
    for (const topic of this.#options.topics) await retrying(deadline, () => this.#cluster.leaders(topic));
    await retrying(deadline, () => this.#events.connected(this.#lookup()));
    await this.#join(deadline);
    this.#running = this.#run();
  }

  // ---- the group --------------------------------------------------------------------------------------------------------------------

  /** Beats, and joins again whenever the group moves on. */
  async #run(): Promise<void> {
    try {
      for (;;) {
        await this.#beat();
        await this.#fetcher?.stop();
        if (this.#isOver()) return;
        if (this.#failure !== undefined) throw this.#failure.error;
        await this.#join(Number.POSITIVE_INFINITY);
      }
    } catch (error) {
      if (this.#isOver()) return;
      this.#end();
      await this.#fetcher?.stop();
      this.#joining.close();
      await this.#leave();
      this.#cluster.connections.close();
      this.#events.crashed(error);
    }
  }

  /** Until the group has moved on, or this has ended. */
  async #beat(): Promise<void> {
    let looked = Date.now();
    for (let failures = 0; ; ) {
      await this.#wait(failures === 0 ? this.#options.heartbeatIntervalMs : backoff(failures));
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isOver() || this.#stale) return;
      try {
        await this.#heartbeat();
        failures = 0;
        if (Date.now() - looked < metadataAgeMs) continue;
        looked = Date.now();
        if (await this.#hasGrown()) return;
      } catch (error) {
        if (isStaleMember(error)) {
          this.#stale = true;
          return;
        }
        if (!isRetriable(error)) throw error;
        failures += 1;
      }
    }
  }

  async #hasGrown(): Promise<boolean> {
    const { topics } = this.#options;
    const before = topics.map((topic) => this.#cluster.known(topic).length);
    await this.#cluster.look(topics);
    return topics.some((topic, index) => this.#cluster.known(topic).length !== before[index]);
  }

  /** Resolves when it is a member of a new generation and knows where to go on. */
  async #join(deadline: number): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        await this.#events.beforeJoin();
        await this.#joinOnce();
        return;
      } catch (error) {
        if (this.#isOver()) throw error;
        const { memberId } = error instanceof ClientError ? error : {};
        const type = typeOf(error);
        if (type === 'MEMBER_ID_REQUIRED' && memberId !== undefined) this.#memberId = memberId;
        else if (type === 'UNKNOWN_MEMBER_ID' || type === 'FENCED_INSTANCE_ID') this.#memberId = '';
        else if (!isStaleMember(error)) {
          failures += 1;
          const wait = backoff(failures);
          if (!isRetriable(error) || Date.now() + wait > deadline) throw error;
          await this.#wait(wait);
          if (this.#isOver()) throw error;
        }
      }
    }
  }

  async #joinOnce(): Promise<void> {
    const { group, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    // What others have read of a topic that is new is not known here.
    for (const topic of topics) await this.#cluster.leaders(topic);
    const { name, metadata } = this.#assigner.protocol({ topics: [...topics] });
    const joined = await this.#coordinate(
      this.#joining,
      joinGroupV6.api,
      group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      this.#memberId,
      null,
      'consumer',
      [{ name, metadata }],
    );
    this.#memberId = joined.memberId;
    this.#generation = joined.generationId;
    const members = joined.members.map((member) => ({ memberId: member.memberId, memberMetadata: member.metadata }));
    const assigned =
      joined.leader === joined.memberId ? await this.#assigner.assign({ members, topics: [...topics] }) : [];
    const { assignment } = await this.#coordinate(
      this.#joining,
      syncGroupV4.api,
      group,
      this.#generation,
      this.#memberId,
      null,
      null,
      null,
      assigned.map(({ memberId, memberAssignment }) => ({ memberId, assignment: memberAssignment })),
    );
    this.#lastBeat = Date.now();
    this.#stale = false;
    const mine = assignment.length === 0 ? undefined : AssignerProtocol.MemberAssignment.decode(assignment);
    const partitions = Object.entries(mine?.assignment ?? {}).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({ topic, partition })),
    );
    const fetcher = new Fetcher(this.#cluster, this.#given, {
      batch: (batch) => this.#batch(batch),
      // Others may have its partitions by now.
      isMember: () => !this.#stale && Date.now() - this.#lastBeat < sessionTimeoutMs,
      failed: (error) => {
        this.#failure = { error };
        this.#wake?.();
      },
    });
    this.#fetcher = fetcher;
    const positions = await this.#events.assigned(partitions, this.#membership(fetcher));
    this.#owned = { generation: this.#generation, partitions };
    if (!this.#isOver()) fetcher.start(positions);
  }

  async #batch(batch: FetchedBatch): Promise<void> {
    try {
      // Beats go on by themselves.
      await this.#events.batch(batch, async () => {
        if (this.#stale || this.#isOver())
          throw new ClientError('REBALANCE_IN_PROGRESS', 'the group is rebalancing', false);
      });
    } catch (error) {
      if (!isStaleMember(error)) throw error;
    }
  }

  #membership(fetcher: Fetcher): Membership {
    const generation = this.#generation;
    const memberId = this.#memberId;
    const { group } = this.#options;
    return {
      committed: (partitions) => this.#committed(partitions),
      commit: async (offsets) => {
        const topics = grouped(offsets, ({ partition, offset, metadata }) => ({
          partitionIndex: partition,
          committedOffset: BigInt(offset),
          committedLeaderEpoch: -1,
          committedMetadata: metadata,
        }));
        const { connections } = this.#cluster;
        await this.#coordinate(connections, offsetCommitV8.api, group, generation, memberId, null, topics);
      },
      heartbeat: () => this.#heartbeat(generation, memberId),
      pause: (partition) => fetcher.pause(partition),
      resume: (partition) => fetcher.resume(partition),
      seek: (partition, offset) => fetcher.seek(partition, offset),
    };
  }

  async #heartbeat(generation = this.#generation, memberId = this.#memberId): Promise<void> {
    const { connections } = this.#cluster;
    await this.#coordinate(connections, heartbeatV4.api, this.#options.group, generation, memberId, null);
    this.#lastBeat = Date.now();
  }

  async #leave(): Promise<void> {
    const memberId = this.#memberId;
    this.#memberId = '';
    if (memberId === '') return;
    const { connections } = this.#cluster;
    // A broker that is gone answers nothing, and the group misses its member when the session ends.
    const left = this.#coordinate(connections, leaveGroupV4.api, this.#options.group, [
      { memberId, groupInstanceId: null },
    ]);
    await withDeadline(left, farewellMs, () => {}).catch(() => {});
  }

  // ---- what the group knows ---------------------------------------------------------------------------------------------------------

  #lookup(): OffsetLookup {
    const cluster = this.#cluster;
    return {
      partitions: (topic) => [...cluster.known(topic).keys()],
      committed: (partitions) => this.#committed(partitions),
      offsets: async (topic, at) => {
        if (typeof at === 'string') return offsetsAt(cluster, topic, at);
        const [end, found] = [await offsetsAt(cluster, topic, 'latest'), await offsetsAt(cluster, topic, at)];
        return new Map(
          [...end].map(([partition, offset]) => {
            const earlier = found.get(partition) ?? -1;
            return [partition, earlier < 0 ? offset : earlier];
          }),
        );
      },
    };
  }

  async #committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const topics = grouped(partitions, ({ partition }) => partition).map((one) => ({
      name: one.name,
      partitionIndexes: one.partitions,
    }));
    const { connections } = this.#cluster;
    const { group } = this.#options;
    const found = await this.#coordinate(connections, offsetFetchV6.api, [{ groupId: group, topics }], false);
    return found.topics.flatMap((topic) =>
      topic.partitions.map(({ partitionIndex, committedOffset, metadata }) => ({
        topic: topic.name,
        partition: partitionIndex,
        offset: Number(committedOffset),
        metadata: metadata ?? '',
      })),
    );
  }

  #coordinate<A extends unknown[], R>(connections: Connections, api: API<A, R>, ...given: A): Promise<R> {
    return this.#cluster.coordinate('group', this.#options.group, connections, api, ...given);
  }

  #isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  #end(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  /** Until then, or until it is woken. */
  async #wait(ms: number): Promise<void> {
    if (this.#isOver() || this.#failure !== undefined) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await setTimeout(ms, undefined, { signal: woken.signal }).catch(() => {});
    this.#wake = undefined;
  }
}

/** In the form of the protocol: partitions by topic. */
function grouped<T extends TopicPartition, P>(
  all: readonly T[],
  view: (one: T) => P,
): { readonly name: string; readonly partitions: P[] }[] {
  const topics = new Map<string, P[]>();
  for (const one of all) {
    const partitions = topics.get(one.topic) ?? [];
    topics.set(one.topic, partitions);
    partitions.push(view(one));
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}
