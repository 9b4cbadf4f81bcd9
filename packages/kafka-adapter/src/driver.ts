import type { WireHeaders, WireValue } from '@bento-bus/core/adapter';

// What the transport needs of a Kafka client, and no more. Errors are the client's own: `errors.ts` understands them.

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A record to send. */
export interface DriverRecord {
  readonly key: WireValue | null;
  readonly value: Uint8Array | null;
  readonly headers: WireHeaders;
  /** Set by the driver when it is sent first, so that sending it again cannot take it elsewhere. Undefined: by its key. */
  partition?: number;
}

/** A record as it was fetched. */
export interface FetchedRecord {
  readonly offset: string;
  readonly key: WireValue | null;
  readonly value: Uint8Array | null;
  readonly headers?: WireHeaders;
  /** Epoch milliseconds. */
  readonly timestamp: string | number;
}

/** What one fetch brought of one partition: committed records only. */
export interface FetchedBatch extends TopicPartition {
  readonly records: readonly FetchedRecord[];
  /** The offset that was asked for. */
  readonly from: number;
  /** The offset after the last one that it covers, records that are not delivered included. */
  readonly next: number;
  /** The next fetch goes on after it; without it the batch comes again. */
  accept(): void;
}

/** A committed offset (the next one to read) and the text stored with it. -1: none. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

/** An idempotent producer: acks of all replicas in sync, each record stored once. */
export interface DriverProducer {
  /**
   * Stored. Rejects when that is not known within `timeoutMs`: then some may be stored all the same, and the producer must be replaced.
   * One call a topic at a time: what is sent again after an error must not be overtaken.
   */
  send(topic: string, records: readonly DriverRecord[], timeoutMs: number): Promise<void>;
  /** Lets calls under way end; never rejects. */
  close(): Promise<void>;
}

/** The one producer of a transactional id; opening it fences those opened before. */
export interface TransactionalProducer {
  /** All of `parts`, one request after the other, in one transaction, or nothing. Rejects: its outcome is not known. */
  transact(parts: readonly ReadonlyMap<string, readonly DriverRecord[]>[], timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** A generation of the group with this member in it. What it stores is refused once the group has moved on. */
export interface Membership {
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  commit(offsets: readonly CommittedOffset[]): Promise<void>;
  heartbeat(): Promise<void>;
  /** Nothing more is fetched of it; what is under way is dropped. */
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /** The next fetch begins here. */
  seek(partition: TopicPartition, offset: number): void;
}

/** Where a member goes on with a partition. */
export interface FetchPosition extends TopicPartition {
  readonly next: number;
  readonly paused: boolean;
}

/** Where a topic stands, by partition. */
export interface OffsetLookup {
  partitions(topic: string): readonly number[];
  offsets(topic: string, at: 'earliest' | 'latest' | { readonly time: number }): Promise<ReadonlyMap<number, number>>;
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
}

/** What happens to a member of a group. */
export interface ConsumerEvents {
  /** Connected, not yet a member. */
  connected(lookup: OffsetLookup): Promise<void>;
  /** Awaited before the group is asked for a new assignment: by joining, partitions are given up. */
  beforeJoin(): Promise<void>;
  /** Awaited before anything is fetched in the new generation; resolves with where to go on. */
  assigned(partitions: readonly TopicPartition[], membership: Membership): Promise<readonly FetchPosition[]>;
  /** While it is pending nothing else is fetched from the same broker; beat meanwhile, and let the errors of that pass. */
  batch(batch: FetchedBatch, heartbeat: () => Promise<void>): Promise<void>;
  /** It has ended by itself. Called once, also where it never joined. */
  crashed(error: unknown): void;
}

/** How a member joins its group. */
export interface ConsumerOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/** A member of a group at work. */
export interface DriverConsumer {
  /** Leaves the group; does not commit. Never rejects. */
  close(): Promise<void>;
}

/** A topic to make; undefined numbers: the broker's default. */
export interface NewTopic {
  readonly topic: string;
  readonly partitions: number | undefined;
  readonly replicationFactor: number | undefined;
  readonly config: Readonly<Record<string, string>>;
}

/** A Kafka client behind the transport. */
export interface Driver {
  producer(): Promise<DriverProducer>;
  transactional(id: string): Promise<TransactionalProducer>;
  /** Resolves when it has joined and `assigned` has resolved. */
  consume(options: ConsumerOptions, events: ConsumerEvents): Promise<DriverConsumer>;
  exists(topic: string): Promise<boolean>;
  /** Resolves also when it exists. */
  create(topic: NewTopic): Promise<void>;
  /** Names of all topics that this user may see. */
  topics(): Promise<readonly string[]>;
  /** Drops what stands before these offsets, by partition. */
  trim(topic: string, offsets: ReadonlyMap<number, number>): Promise<void>;
  /** The last committed record of a topic with one partition. */
  lastRecord(topic: string): Promise<FetchedRecord | undefined>;
  close(): Promise<void>;
}
