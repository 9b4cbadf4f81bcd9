import type {
  Closeable,
  Finding,
  GroupDescription,
  Message,
  NewTopic,
  ResetPosition,
  StartPosition,
  StoredEvent,
  StreamId,
  TopicDescription,
} from '@bento-bus/core';

/** What is operated. */
export interface About {
  /** `pulsar`, `kafka`, `inprocess`. */
  readonly backend: string;
  /** CloudEvents source or name of the application; undefined where none runs. */
  readonly application?: string;
  /** Where the event store is: `embedded DIR`, `http://host:8123/bento`; undefined: there is none. */
  readonly store?: string;
  /** True: answered by the application itself, over its loopback endpoint. */
  readonly remote: boolean;
}

/** A message that was looked at. */
export interface SeenMessage {
  readonly topic: string;
  readonly partition?: number;
  /** As `Delivery.position`. */
  readonly position: string;
  readonly message: Message;
}

/** Where `tail` begins and ends. */
export interface TailOptions {
  /** @default 'latest' */
  readonly from?: StartPosition;
  /** Ends after so many. @default never */
  readonly limit?: number;
  /** Ends when nothing has come for so long. Milliseconds. @default never */
  readonly idleMs?: number;
  readonly signal?: AbortSignal;
}

/** A message that a group could not handle. Times are epoch milliseconds. */
export interface FailedMessage {
  /** `'parked'`: it waits under its key, with what came after it. */
  readonly kind: 'dead-letter' | 'parked';
  readonly topic: string;
  readonly group: string;
  readonly message: Message;
  readonly position: string;
  readonly reason?: string;
  readonly errorCode?: string;
  readonly error?: string;
  readonly stack?: string;
  readonly attempts?: number;
  readonly firstFailed?: number;
  readonly lastFailed?: number;
}

/** Which failed messages are meant: those that fit all that is given. */
export interface FailedFilter {
  readonly ids?: readonly string[];
  readonly keys?: readonly string[];
  readonly types?: readonly string[];
  readonly errorCodes?: readonly string[];
  /** Failed last at this time or later. Epoch milliseconds. */
  readonly since?: number;
  /** Failed last before this time. Epoch milliseconds. */
  readonly until?: number;
}

/** What a run over failed messages did. */
export interface FailedRun {
  readonly looked: number;
  /** Redriven or discarded. */
  readonly done: number;
  readonly kept: number;
  /** False: a limit or the signal ended it, there may be more. */
  readonly complete: boolean;
}

/** Options of a run over failed messages. */
export interface FailedRunOptions {
  readonly filter?: FailedFilter;
  readonly limit?: number;
  readonly perSecond?: number;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Omit<FailedRun, 'complete'>) => void;
}

/** How far the relay is. Positions as in the event store. */
export interface RelayStatus {
  /** Everything at or before it is published. */
  readonly position: string;
  /** The store's last event. */
  readonly head: string;
  /** Events between them; undefined: more than were counted. */
  readonly behind?: number;
  /** `'running'`: this application publishes; `'unknown'`: seen from outside, by what is on the topics. */
  readonly state: 'running' | 'stopped' | 'unknown';
}

/** One projection. */
export interface ProjectionStatus {
  readonly projection: string;
  /** Events that it could not take in. */
  readonly failed: readonly {
    readonly stream: StreamId;
    readonly eventType: string;
    readonly reason: string;
    readonly failedAt: number;
  }[];
}

/** How far a rebuild is. */
export interface RebuildProgress {
  readonly position: string;
  readonly to: string;
  readonly events: number;
}

/**
 * All that an operator does, over the ports; the same on every backend, and the same over an application's loopback endpoint
 * (`connectOperations`). What the parts at hand cannot do is `UNSUPPORTED`, with what to do. Other errors as in the ports:
 * `UNKNOWN_TOPIC`, `UNKNOWN_GROUP`, `GROUP_CONFLICT`, `AUTHORIZATION`, `CONNECTION`, `TIMEOUT`, `CONFIGURATION`.
 */
export interface Operations extends Closeable {
  about(): Promise<About>;
  /** Of the backend and, where there is one, of the store; and whether the application is well. */
  diagnose(): Promise<readonly Finding[]>;

  listTopics(options?: { readonly prefix?: string; readonly internal?: boolean }): Promise<readonly string[]>;
  describeTopic(topic: string): Promise<TopicDescription>;
  createTopic(topic: string, options?: NewTopic): Promise<boolean>;
  deleteTopic(topic: string): Promise<boolean>;
  setPartitions(topic: string, partitions: number): Promise<void>;
  configureTopic(topic: string, config: Readonly<Record<string, string | null>>): Promise<void>;

  listGroups(topic: string): Promise<readonly string[]>;
  describeGroup(topic: string, group: string): Promise<GroupDescription>;
  createGroup(topic: string, group: string, at?: StartPosition): Promise<boolean>;
  resetGroup(topic: string, group: string, to: ResetPosition): Promise<void>;
  skip(topic: string, group: string, count: number, options?: { readonly partition?: number }): Promise<number>;
  deleteGroup(group: string, topics: readonly string[]): Promise<void>;
  /** The next messages that the group has not acknowledged. */
  peek(
    topic: string,
    group: string,
    options?: { readonly count?: number; readonly partition?: number },
  ): Promise<readonly SeenMessage[]>;

  publish(topic: string, messages: readonly Message[]): Promise<void>;
  /** Messages of a topic as they come, in no order across partitions. Nothing of it is left behind. Breaking out of the loop ends it. */
  tail(topic: string, options?: TailOptions): AsyncIterable<SeenMessage>;

  /** Pairs of topic and group with failed messages or a place for them, and how many wait. */
  failedPlaces(): Promise<readonly { readonly topic: string; readonly group: string; readonly count: number }[]>;
  listFailed(
    topic: string,
    group: string,
    options?: { readonly filter?: FailedFilter; readonly limit?: number },
  ): Promise<readonly FailedMessage[]>;
  /** Gives failed messages back to the one group that failed. */
  redrive(topic: string, group: string, options?: FailedRunOptions): Promise<FailedRun>;
  /** Takes them away; a copy stays on the audit topic, or in the event log. */
  discard(topic: string, group: string, options?: FailedRunOptions): Promise<FailedRun>;

  relay(): Promise<RelayStatus>;
  projections(): Promise<readonly ProjectionStatus[]>;
  rebuild(
    projection: string,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: RebuildProgress) => void },
  ): Promise<void>;

  /** Events of one stream from a version on. */
  stream(
    stream: StreamId,
    options?: { readonly from?: number; readonly limit?: number },
  ): Promise<readonly StoredEvent[]>;
  /** Events of the whole log after a position, in commit order. @default from the beginning, limit 100 */
  events(options?: { readonly after?: string; readonly limit?: number }): Promise<readonly StoredEvent[]>;
}
