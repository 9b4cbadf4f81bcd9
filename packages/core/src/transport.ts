import type { Closeable, Delivery, Message } from './message.ts';
import type { Middleware } from './middleware.ts';

/** Sends bytes to topics. */
export interface Publisher extends Closeable {
  /**
   * Resolves: stored by the backend, in the order given per key. Rejects with a `PublishError` whose `failed` lists the indexes not
   * confirmed (they may be stored); faults found before sending send nothing. After close: `CLOSED`.
   */
  publish(topic: string, messages: readonly Message[]): Promise<void>;
}

/**
 * Resolves: acknowledged. Rejects: called again in its lane after a jittered backoff, until the lane's limits; then `onExhausted`.
 * Never dropped, never a hot loop. `signal` aborts when the subscription's drain deadline has passed.
 */
export type DeliveryHandler = (delivery: Delivery, signal: AbortSignal) => Promise<void>;

/** What became of one delivery of a batch. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly error: unknown };

/** One outcome a delivery, in order; a missing or extra one fails the whole batch. After a failed item, later items of its key count as not handled. */
export type BatchHandler = (batch: readonly Delivery[], signal: AbortSignal) => Promise<readonly Outcome[]>;

/** Where a group that has no progress yet begins. `time` is epoch milliseconds. */
export type StartPosition = 'earliest' | 'latest' | { readonly time: number };

/** Options of one subscription. */
export interface SubscribeOptions {
  /** The consumer group: its members share the messages, each group gets them all. */
  readonly group: string;
  /** Handlers at work at once; for batches, batches at once. @default 1 */
  readonly concurrency?: number;
  /** Where a group without progress begins. @default 'earliest' */
  readonly startPosition?: StartPosition;
  /** `'key'`: messages of one key are handled one after the other, in order. `'none'`: as they come. @default 'key' */
  readonly ordering?: 'key' | 'none';
  /** A lane holds a failing message at most this long. Milliseconds. @default 5_000 */
  readonly maxHoldMs?: number;
  /** A lane holds a failing message with at most this many messages behind it. @default 100 */
  readonly maxLaneBacklog?: number;
  /**
   * How often the process may die while this message is the only one at work, which happens once two processes in a row have died
   * there; then the message is given to `onExhausted` untried, after at most `maxCrashes + 2` deaths. For messages that the backend
   * delivers again after a crash. @default 3
   */
  readonly maxCrashes?: number;
  /**
   * Records that are no messages in the transport's format, as foreign producers write them: `'fail'`: their handling fails with a
   * `CodecError`, so that they go the way of every failure; `'skip'`: they are acknowledged, with a warning in the log; a function gets
   * them in the handler's place, with their original bytes in `message.raw` and `message.body`. @default 'fail'
   */
  readonly unreadable?: 'fail' | 'skip' | ((delivery: Delivery, error: unknown) => Promise<void>);
  /** On close: handlers get this long to finish, then `signal` aborts and what they held stays unacknowledged. Milliseconds. @default 10_000 */
  readonly drainMs?: number;
  /** Around the handler, first is outermost. */
  readonly use?: readonly Middleware[];
}

/** Additional options of a batch subscription. */
export interface BatchOptions {
  /** Largest batch. */
  readonly size: number;
  /** A batch that is not full is handed over after this long. Milliseconds. */
  readonly waitMs: number;
}

/** A running subscription. */
export interface Subscription extends Closeable {
  /** Resolves when it has ended by close; rejects when it ended by a fault that retrying cannot mend. */
  readonly closed: Promise<void>;
}

/** Receives from topics. */
export interface Subscriber extends Closeable {
  /** Resolves when the subscription is in place: what is published afterwards reaches it. */
  subscribe(topics: readonly string[], handler: DeliveryHandler, options: SubscribeOptions): Promise<Subscription>;
  subscribeBatch(
    topics: readonly string[],
    handler: BatchHandler,
    options: SubscribeOptions & BatchOptions,
  ): Promise<Subscription>;
}

/** What a backend promises; declared once per adapter, read by the runtime and the conformance kit. */
export interface Capabilities {
  /** Published messages and group progress outlive the process. */
  readonly durable: boolean;
  readonly ordering: 'key' | 'none';
  readonly sharesGroupAcrossProcesses: boolean;
  readonly startPositions: readonly ('earliest' | 'latest' | 'time')[];
  /** A message with the header `ce_deliverat` is not delivered before that time, and holds nothing back. */
  readonly delays: boolean;
}

/** A backend. Applications use `MessageBus`; this is the port for adapter authors. */
export interface Transport extends Publisher, Subscriber {
  readonly name: string;
  readonly capabilities: Capabilities;
}
