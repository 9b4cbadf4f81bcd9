import { configurationError } from '../configuration.ts';
import { BentoError } from '../errors.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { Delivery } from '../message.ts';
import { compose, type SubscriptionContext } from '../middleware.ts';
import type { BatchHandler, DeliveryHandler, Outcome, Publisher } from '../transport.ts';
import { type Backoff, fullJitter } from './backoff.ts';
import { BatchChain } from './batch-chain.ts';
import { type Clock, systemClock } from './clock.ts';
import { closeAll } from './drain.ts';
import type { ResolvedSubscribeOptions } from './options.ts';
import { oneSuccess } from './outcomes.ts';
import { unreadableReason } from './unreadable.ts';

/** What handles: deliveries one by one, or batches. */
export type SubscriptionHandler = { readonly each: DeliveryHandler } | { readonly batch: BatchHandler };

/** What the adapter brings. */
export interface PrepareContext {
  /** The adapter's package, for error texts. */
  readonly adapter: string;
  /** What middleware publishes with, usually the transport itself. */
  readonly publisher: Publisher;
  /** `lanes.stateOf`; lanes are made after this call, so hand in `(delivery) => lanes.stateOf(delivery)`. */
  readonly lane: SubscriptionContext['lane'];
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/** A topic that middleware needs before the first delivery. */
export interface TopicNeed {
  readonly topic: string;
  /** Groups for which the topic must keep what is published from now on. */
  readonly subscriptions: readonly string[];
  readonly compacted: boolean;
}

/** A subscription with its middleware built; what is left to the adapter is consuming. */
export interface PreparedSubscription {
  /** All topics to consume: those asked for, and those added by `alsoConsume`. */
  readonly topics: readonly string[];
  /** To be made before the first delivery. */
  readonly ensure: readonly TopicNeed[];
  /** For `createLanes`: routes each delivery to the chain of its topic. */
  readonly handler: BatchHandler;
  /** For `createLanes`: the `onExhausted` hook of the delivery's topic; undefined where it has none. */
  readonly exhausted: (delivery: Delivery, reason: unknown) => Promise<void> | undefined;
  /** For `createLanes`: as the middleware of the delivery's topic says, else exponential with full jitter. */
  readonly backoff: Backoff;
  /** Runs the `onClose` functions, the last first; call it once the lanes have drained. */
  close(): Promise<void>;
}

/** Topics that add topics that add topics: more than this is a middleware that does not know its own. */
const deepest = 8;

/**
 * Builds the middleware of a subscription, once a topic, and collects what it asks for. Topics added by `alsoConsume` get a chain of
 * their own. Throws a `CONFIGURATION` error when a second `onExhausted` hook is registered for a topic, or when a middleware adds a
 * topic for every topic that it added.
 *
 * Batches pass the middleware too: each delivery by itself, and those that reach the innermost handler are handed on together, so
 * that retries, dead letters, metrics and idempotency work for single and batch subscriptions alike. A delivery that did not get its
 * turn, because an earlier one of its key failed in the same batch, fails in its middleware with code `ABORTED` and comes again;
 * middleware that acts on failures lets that code pass.
 */
export function prepareSubscription(
  topics: readonly string[],
  handler: SubscriptionHandler,
  options: ResolvedSubscribeOptions,
  context: PrepareContext,
): PreparedSubscription {
  const middleware = compose(options.use);
  const chains = new Map<string, DeliveryHandler>();
  const hooks = new Map<string, (delivery: Delivery, reason: unknown) => Promise<void>>();
  const waits = new Map<string, Parameters<SubscriptionContext['retryAfter']>[0]>();
  const needs = new Map<string, { readonly subscriptions: Set<string>; compacted: boolean }>();
  const closers: (() => Promise<void>)[] = [];
  const origins = new Map<string, { readonly origin: string; readonly depth: number }>();
  const what = `${context.adapter}: cannot subscribe group "${options.group}"`;
  let built = false;

  const contextOf = (topic: string, origin: string, depth: number): SubscriptionContext => ({
    topic,
    origin,
    group: options.group,
    publisher: context.publisher,
    now: () => (context.clock ?? systemClock).now(),
    lane: context.lane,
    alsoConsume: (added) => {
      if (built) throw configurationError(what, ['alsoConsume must be called while the middleware is built']);
      if (depth >= deepest)
        throw configurationError(what, [`middleware adds a topic to each one it added, last "${added}"`]);
      if (!origins.has(added)) origins.set(added, { origin, depth: depth + 1 });
    },
    ensureTopic: (needed, { subscription, compacted = false } = {}) => {
      if (built) throw configurationError(what, ['ensureTopic must be called while the middleware is built']);
      const need = needs.get(needed) ?? { subscriptions: new Set<string>(), compacted: false };
      if (subscription !== undefined) need.subscriptions.add(subscription);
      need.compacted ||= compacted;
      needs.set(needed, need);
    },
    onExhausted: (take) => {
      if (hooks.has(topic))
        throw configurationError(what, [`two middleware take the exhausted messages of "${topic}"`]);
      hooks.set(topic, take);
    },
    retryAfter: (wait) => {
      if (waits.has(topic))
        throw configurationError(what, [`two middleware say how long failing messages of "${topic}" wait`]);
      waits.set(topic, wait);
    },
    onClose: (fn) => {
      closers.push(fn);
    },
  });

  const { innermost, handle } = insideOf(handler, options, context, chainOf);
  for (const topic of topics) origins.set(topic, { origin: topic, depth: 0 });
  try {
    // The map grows while middleware adds topics.
    for (const [topic, { origin, depth }] of origins)
      chains.set(topic, middleware(innermost, contextOf(topic, origin, depth)));
  } catch (error) {
    // The first error counts; what was opened before it is closed as well as can be.
    closeAll(closers).catch(() => {});
    throw error;
  }
  built = true;

  function chainOf(topic: string): DeliveryHandler {
    const chain = chains.get(topic);
    if (chain !== undefined) return chain;
    const known = [...chains.keys()].join('", "');
    throw new BentoError(
      'UNKNOWN_TOPIC',
      `${context.adapter}: cannot handle a delivery of "${topic}": subscribed are "${known}".`,
    );
  }

  return {
    topics: [...chains.keys()],
    ensure: [...needs].map(([topic, need]) => ({
      topic,
      subscriptions: [...need.subscriptions],
      compacted: need.compacted,
    })),
    handler: handle,
    exhausted: (delivery, reason) => hooks.get(delivery.topic)?.(delivery, reason),
    backoff: (failures, error, delivery) =>
      (delivery && waits.get(delivery.topic)?.(delivery, failures, error)) ?? standard(failures),
    close: () => closeAll(closers),
  };
}

const standard = fullJitter();

/** The innermost handler, and the batch handler that leads to it. */
function insideOf(
  handler: SubscriptionHandler,
  options: ResolvedSubscribeOptions,
  { clock = systemClock, logger = silentLogger, adapter }: PrepareContext,
  chainOf: (topic: string) => DeliveryHandler,
): { readonly innermost: DeliveryHandler; readonly handle: BatchHandler } {
  const policy = policyOf(options, logger, adapter);
  if ('each' in handler) {
    const { each } = handler;
    const single: BatchHandler = (batch, signal) => {
      const delivery = batch[0] as Delivery;
      // A handler written in JavaScript may return no promise.
      return Promise.resolve(chainOf(delivery.topic)(delivery, signal)).then(succeeded, failed);
    };
    return { innermost: readable(each, policy), handle: single };
  }
  const { batch: handleBatch } = handler;
  const chain = new BatchChain(handleBatch, options, clock);
  const direct = options.use.length === 0;
  return {
    innermost: readable(chain.innermost, policy),
    handle: (batch, signal) =>
      direct && batch.every(({ message }) => unreadableReason(message) === undefined)
        ? handleBatch(batch, signal)
        : chain.handle(batch, signal, chainOf),
  };
}

/** What becomes of a record that no one could read. */
type UnreadablePolicy = (delivery: Delivery, reason: unknown) => Promise<void>;

function policyOf({ unreadable, group }: ResolvedSubscribeOptions, logger: Logger, adapter: string): UnreadablePolicy {
  if (typeof unreadable === 'function') return async (delivery, reason) => unreadable(delivery, reason);
  if (unreadable === 'fail') return (_, reason) => Promise.reject(reason);
  return async ({ topic, position }, error) =>
    logger.warn(`${adapter}: a record that cannot be read is skipped`, { group, topic, position, error });
}

/** Does with messages that no one could read as the policy says, instead of calling the handler. */
function readable(handler: DeliveryHandler, policy: UnreadablePolicy): DeliveryHandler {
  return (delivery, signal) => {
    const reason = unreadableReason(delivery.message);
    return reason === undefined ? handler(delivery, signal) : policy(delivery, reason);
  };
}

const succeeded = (): readonly Outcome[] => oneSuccess;
const failed = (error: unknown): readonly Outcome[] => [{ ok: false, error }];
