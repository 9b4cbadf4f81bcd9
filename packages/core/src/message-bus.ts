import type { BusEvent, EventDefinition, EventOf } from './events.ts';
import type { Closeable } from './message.ts';
import type { TopicSelector } from './topic-patterns.ts';
import type { BatchOptions, Outcome, SubscribeOptions } from './transport.ts';

/** Beside the event: where it came from, and what a handler needs to act on. */
export interface EventContext {
  readonly id: string;
  readonly topic: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly attempt: number;
  readonly position: string;
  /** The same for everything that one first message caused. */
  readonly correlationId: string;
  readonly signal: AbortSignal;
}

/** Handles one event; see `DeliveryHandler` for what resolving and rejecting mean. */
export type EventHandler<E> = (event: E, context: EventContext) => void | Promise<void>;

/** One event of a batch, as an `EventHandler` gets it. */
export interface BatchItem<E> {
  readonly event: E;
  readonly context: EventContext;
}

/**
 * Handles events together. Returning nothing: all succeeded. Returning outcomes: exactly one an item, in order; after a failed one, later
 * ones of its key count as not handled. Throwing or rejecting: all failed. `signal` is that of each item's context.
 */
export type EventBatchHandler<E> = (
  batch: readonly BatchItem<E>[],
  signal: AbortSignal,
  // oxlint-disable-next-line typescript/no-invalid-void-type -- handlers that return nothing are the usual ones
) => void | readonly Outcome[] | Promise<void | readonly Outcome[]>;

/** Options of one publish. */
export interface PublishOptions {
  /** @default a random UUID */
  readonly id?: string;
  /** @default the definition's key, else the id */
  readonly key?: string;
  /** Further headers; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Not delivered before so much time has passed. Milliseconds. @default at once */
  readonly delayMs?: number;
  /** Not delivered before this time, given instead of `delayMs`: epoch milliseconds. @default at once */
  readonly deliverAt?: number;
  /**
   * The message being handled: its correlation id is carried on, its id becomes the causation id, and its trace goes on: `traceparent`
   * and `tracestate` of its headers, unless `headers` say otherwise.
   */
  readonly cause?: Pick<EventContext, 'id' | 'correlationId'> & Partial<Pick<EventContext, 'headers'>>;
}

/** Options of one publish to a topic. */
export interface TopicPublishOptions extends PublishOptions {
  /** The message's type. @default the topic */
  readonly type?: string;
  /** Schema version of the body. @default 1 */
  readonly version?: number;
}

/** Options of a bus subscription. */
export interface BusSubscribeOptions extends SubscribeOptions {
  /** With patterns: how often other topics that match are looked for. Milliseconds. @default 10_000 */
  readonly topicRefreshMs?: number;
}

/** Options of a batch subscription of a bus: `size` events at most are handled together. */
export interface BusBatchOptions extends BusSubscribeOptions, BatchOptions {}

/**
 * Between services, over the configured backend. Typed definitions, or a topic and a value.
 * One bus holds one subscription per group and topic: a second one is `GROUP_CONFLICT` (put the handlers behind one dispatcher).
 * Types not asked for are acknowledged and counted.
 */
export interface MessageBus extends Closeable {
  /** Validates, encodes, publishes; resolves when the backend has stored it. Throws `ValidationError`, `CodecError`, `PublishError`. */
  publish<Input>(
    definition: EventDefinition<string, Input>,
    data: NoInfer<Input>,
    options?: PublishOptions,
  ): Promise<void>;
  /** A value as the codec takes it, without validation. */
  publish(topic: string, message: unknown, options?: TopicPublishOptions): Promise<void>;
  /** Events of these definitions, upcast to their current version and validated. */
  subscribe<const D extends readonly EventDefinition[]>(
    definitions: D,
    handler: EventHandler<EventOf<D[number]>>,
    options: BusSubscribeOptions,
  ): Promise<BusSubscription>;
  /**
   * Everything on the topic, on several, or on those whose names match a pattern, as the codec reads it: `type` is the message's. Topics
   * that match and come later are read from their beginning. `UNSUPPORTED` where the transport cannot list topics.
   */
  subscribe(
    topics: TopicSelector | readonly TopicSelector[],
    handler: EventHandler<BusEvent>,
    options: BusSubscribeOptions,
  ): Promise<BusSubscription>;
  /**
   * Events of these definitions, several at once. What its codec or schema refuses fails by itself and is not shown to the handler, nor
   * is what comes behind it under its key in the same batch. Middleware gets each delivery by itself.
   */
  subscribeBatch<const D extends readonly EventDefinition[]>(
    definitions: D,
    handler: EventBatchHandler<EventOf<D[number]>>,
    options: BusBatchOptions,
  ): Promise<BusSubscription>;
}

/** A running subscription of a bus. */
export interface BusSubscription extends Closeable {
  readonly closed: Promise<void>;
  /** Messages acknowledged because nobody asked for their type. */
  readonly ignored: number;
}

/** The publish half, for code that must not subscribe. */
export type EventPublisherPort = Pick<MessageBus, 'publish'>;
