import type { Closeable, Message } from './message.ts';
import type { StartPosition } from './transport.ts';

/** What a topic is to be. */
export interface NewTopic {
  /** @default the adapter's option `partitions` */
  readonly partitions?: number;
  /** Kafka only, as Pulsar replicates its storage by policy. @default the broker's */
  readonly replicationFactor?: number;
  /** Settings by the broker's own names: Kafka's topic configs (`retention.ms`), Pulsar's topic policies (`retention`, as JSON). */
  readonly config?: Readonly<Record<string, string>>;
}

/** One partition of a topic. */
export interface PartitionDescription {
  readonly partition: number;
  /** Stored at most: what compaction removed, markers of transactions and, on Pulsar, batches (which count as one) make it differ. */
  readonly messages: number;
  /** Undefined where the broker does not say. */
  readonly bytes?: number;
  /** The first message that is stored, and the last; undefined where there is none. As `Delivery.position`. */
  readonly first?: string;
  readonly last?: string;
}

/** A topic as it is. */
export interface TopicDescription {
  readonly topic: string;
  /** Ascending; one, with number 0, where the topic is not partitioned. */
  readonly partitions: readonly PartitionDescription[];
  /** Settings that differ from the broker's defaults, by its own names. */
  readonly config: Readonly<Record<string, string>>;
}

/** How far a group is with one partition. */
export interface PartitionBacklog {
  readonly partition: number;
  /** Messages that the group has not acknowledged: its lag. Counted as in {@link PartitionDescription.messages}. */
  readonly backlog: number;
  /** The first message that is not acknowledged, as `Delivery.position`; undefined where the group is at the end, or has not begun. */
  readonly next?: string;
}

/** A consumer of a group at work. */
export interface GroupMember {
  readonly id: string;
  /** Where it runs, as far as the broker knows. */
  readonly address?: string;
  /** Of the topic that was asked for, ascending; on Pulsar's Shared and Key_Shared, all. */
  readonly partitions: readonly number[];
}

/** A consumer group (Kafka) or subscription (Pulsar) on one topic. */
export interface GroupDescription {
  readonly group: string;
  readonly topic: string;
  /** Over all partitions. */
  readonly backlog: number;
  /** Ascending. */
  readonly partitions: readonly PartitionBacklog[];
  readonly members: readonly GroupMember[];
}

/** A message that was looked at. */
export interface PeekedMessage {
  readonly partition: number;
  /** As `Delivery.position`. */
  readonly position: string;
  readonly message: Message;
}

/** Where a group is moved: a position, as `Delivery.position` has it, is the next message that the group gets in its partition. */
export type ResetPosition = StartPosition | { readonly position: string; readonly partition?: number };

/**
 * Topics of a backend, by the names that the transport of the same options uses. A topic that is not there is `UNKNOWN_TOPIC`; a
 * broker that does not let this user do it, `AUTHORIZATION`. Requests are repeated until the adapter's `requestTimeoutMs`.
 */
export interface TopicAdmin extends Closeable {
  /** Resolves when the topic exists: true where it was made, false where it was there, and stays as it was. */
  createTopic(topic: string, options?: NewTopic): Promise<boolean>;
  /** With all that is stored in it and all progress on it. Resolves when it is gone: true; false where there was none. */
  deleteTopic(topic: string): Promise<boolean>;
  /** Names, sorted; without those that the toolkit or the broker made for itself, unless `internal`. */
  listTopics(options?: { readonly prefix?: string; readonly internal?: boolean }): Promise<readonly string[]>;
  describeTopic(topic: string): Promise<TopicDescription>;
  /**
   * Grows it to `partitions`. Keys may then belong to another partition: their order holds only from here on. `CONFIGURATION` when the
   * topic has more, or is not partitioned.
   */
  setPartitions(topic: string, partitions: number): Promise<void>;
  /** Changes these settings, by the broker's own names, and no others; null: back to the default. */
  configureTopic(topic: string, config: Readonly<Record<string, string | null>>): Promise<void>;
}

/**
 * Progress of groups. `UNKNOWN_TOPIC` where there is no such topic, `UNKNOWN_GROUP` where the group has no progress there.
 * What moves or removes a group wants it without members: Kafka refuses it otherwise, `GROUP_CONFLICT`; Pulsar cuts them off, and they
 * come back by themselves.
 */
export interface GroupAdmin extends Closeable {
  /** Makes a group with no member, so that what is published from now on is kept for it. True: made; false: it was there. @default at 'latest' */
  createGroup(topic: string, group: string, at?: StartPosition): Promise<boolean>;
  /** Groups with progress or members on the topic, sorted. */
  listGroups(topic: string): Promise<readonly string[]>;
  describeGroup(topic: string, group: string): Promise<GroupDescription>;
  /** The next messages that the group has not acknowledged: up to `count` of the partition, or of each, in its order; nothing changes. @default count 10, all partitions, ascending */
  peek(
    topic: string,
    group: string,
    options?: { readonly count?: number; readonly partition?: number },
  ): Promise<readonly PeekedMessage[]>;
  /** Acknowledges up to `count` of the next messages of the partition, or of each, unread. Resolves with how many they were. */
  skip(topic: string, group: string, count: number, options?: { readonly partition?: number }): Promise<number>;
  /** The group goes on from there. Attempts and what it has acknowledged beyond are forgotten. */
  reset(topic: string, group: string, to: ResetPosition): Promise<void>;
  /** All progress of the group on these topics; `UNKNOWN_GROUP` where it has none on any of them. `GROUP_CONFLICT` where members are at work on one of them. */
  deleteGroup(group: string, topics: readonly string[]): Promise<void>;
}

/** What an adapter's `create…Admin` makes; the same on each backend. */
export interface MessagingAdmin extends TopicAdmin, GroupAdmin {
  /** As the transport's, for logs. */
  readonly name: string;
}
