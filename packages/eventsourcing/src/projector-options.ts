import type {
  BatchOptions,
  CheckpointStore,
  Codec,
  EventStore,
  Logger,
  Position,
  ReadModelStore,
  SubscribeOptions,
  Subscriber,
  Subscription,
} from '@bento-bus/core';
import type { Projection } from './projection.ts';

/** Options of {@link createProjector}. */
export interface ProjectorOptions {
  /** Where gaps, `catchUp` and `caughtUp` read; its `identity` is part of what is remembered. */
  readonly store: EventStore;
  readonly readModels: ReadModelStore;
  readonly projections: readonly Projection[];
  /** Remembers up to where rows were verified, so that a start need not read the whole log. @default in memory: until the process ends */
  readonly checkpoints?: CheckpointStore;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/** Options of `Projector.subscribe`. */
export interface ProjectorSubscribeOptions extends SubscribeOptions, Partial<BatchOptions> {
  /** Reads the bodies; the one that the relay writes with. */
  readonly codec: Codec;
  /** @default all topics of the projections' event definitions */
  readonly topics?: readonly string[];
  /** Largest batch. @default 500 */
  readonly size?: number;
  /** A batch that is not full is handed over after this long. Milliseconds. @default 20 */
  readonly waitMs?: number;
}

/** How far `catchUp` and `rebuild` have come. */
export interface CatchUpProgress {
  /** Everything at or before it was applied, or has failed. */
  readonly position: Position;
  /** Where it ends. */
  readonly to: Position;
  /** Events read. */
  readonly events: number;
  /** Streams that failed, counted once a page and projection. */
  readonly failed: number;
}

/** Options of `Projector.catchUp`. */
export interface CatchUpOptions {
  /** @default what was verified: the lowest position up to which all rows are known to be at their streams' versions */
  readonly after?: Position;
  /** Last event to apply. @default the head at the time of the call */
  readonly to?: Position;
  /** Ends it between two pages with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Called after each page. What it throws ends the call. */
  readonly onProgress?: (progress: CatchUpProgress) => void;
}

/** How far `caughtUp` has come. */
export interface CaughtUpProgress {
  /** Verified for all projections up to here. */
  readonly position: Position;
  readonly to: Position;
  /** Events looked at since the call. */
  readonly events: number;
  /** Streams that are waited for now; those of later events are not counted yet. */
  readonly behind: number;
}

/** Options of `Projector.caughtUp`. */
export interface CaughtUpOptions {
  /** The store's head as of when it matters, for example after a command. */
  readonly to: Position;
  /** Ends the wait with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Milliseconds. @default 60_000 */
  readonly timeoutMs?: number;
  /** Called after each page and each look. What it throws ends the call. */
  readonly onProgress?: (progress: CaughtUpProgress) => void;
}

/** Keeps read models up with a store. */
export interface Projector {
  /**
   * Applies what the relay publishes, batch by batch. Makes the tables first. An event that fails is tried again until its lane's limits
   * (`maxHoldMs`, `maxLaneBacklog`), then recorded in `failedEvents` and acknowledged; it takes the subscription's `onExhausted` hook.
   */
  subscribe(transport: Subscriber, options: ProjectorSubscribeOptions): Promise<Subscription>;
  /**
   * Applies events of the store itself, page by page: at a start, for repair, for a new model version. Finishes a rebuild that was
   * interrupted while it cleared. Failed events are recorded. Can run beside subscriptions, and be interrupted and run again. Rejects
   * when a store cannot read or write, or with `ABORTED`.
   */
  catchUp(options?: CatchUpOptions): Promise<CatchUpProgress>;
  /**
   * Empties a projection's models and fills them again. Interrupted, it can be run again, or be finished by `catchUp`. Subscriptions
   * of this projector may go on; stop those of other processes, or raise the models' version instead, which needs no stop.
   */
  rebuild(name: string, options?: Omit<CatchUpOptions, 'after' | 'to'>): Promise<CatchUpProgress>;
  /**
   * Resolves when, for every stream with events up to `to`, each projection's row is at the version of the stream's last such event
   * of the types that the projection handles. Exact: it compares rows with the store. Cheap: what was verified once is remembered.
   * Rejects with `FailedEventsError` when rows are behind at recorded failures, with `CaughtUpTimeoutError`, or with `ABORTED`.
   */
  caughtUp(options: CaughtUpOptions): Promise<void>;
}

/** What options of a projector are when they are not given. */
export const projectorDefaults = { size: 500, waitMs: 20, timeoutMs: 60_000 } as const;
