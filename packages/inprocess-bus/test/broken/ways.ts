import type {
  BatchHandler,
  DeliveryHandler,
  Message,
  SubscribeOptions,
  Subscription,
  SubscriptionContext,
} from '@bento-bus/core';
import type { InProcessTransport } from '../../src/index.ts';

/** Breaks one promise of a transport that keeps them all: what to put in place of its members. */
export type Break = (transport: InProcessTransport) => Partial<InProcessTransport>;

export const eachHandler =
  (wrap: (handler: DeliveryHandler) => DeliveryHandler): Break =>
  (t) => ({ subscribe: (topics, handler, options) => t.subscribe(topics, wrap(handler), options) });

export const eachBatch =
  (wrap: (handler: BatchHandler) => BatchHandler): Break =>
  (t) => ({ subscribeBatch: (topics, handler, options) => t.subscribeBatch(topics, wrap(handler), options) });

type Change<T> = (given: T) => Partial<T>;

/** Options that are refused stay as they are. */
const changedOptions = <O extends SubscribeOptions>(options: O, change: Change<SubscribeOptions>): O =>
  options.concurrency === 0 || options.maxHoldMs === -1 || options.group === ''
    ? options
    : { ...options, ...change(options) };

export const eachOptions =
  (change: Change<SubscribeOptions>): Break =>
  (t) => ({
    subscribe: (topics, handler, options) => t.subscribe(topics, handler, changedOptions(options, change)),
    subscribeBatch: (topics, handler, options) => t.subscribeBatch(topics, handler, changedOptions(options, change)),
  });

export const eachContext = (change: Change<SubscriptionContext>): Break =>
  eachOptions(({ use = [] }) => ({
    use: use.map((middleware) => (next, context) => middleware(next, { ...context, ...change(context) })),
  }));

/** Puts another group in place of the one asked for, which middleware sees all the same. */
export const eachGroup = (change: (group: string) => string): Break =>
  eachOptions(({ group, use = [] }) => ({
    group: change(group),
    use: use.map((middleware) => (next, context) => middleware(next, { ...context, group })),
  }));

async function changedSubscription(
  subscribing: Promise<Subscription>,
  change: Change<Subscription>,
): Promise<Subscription> {
  const subscription = await subscribing;
  const { closed } = subscription;
  const close = (): Promise<void> => subscription.close();
  return { closed, close, [Symbol.asyncDispose]: close, ...change(subscription) };
}

export const eachSubscription =
  (change: Change<Subscription>): Break =>
  (t) => ({
    subscribe: (topics, handler, options) => changedSubscription(t.subscribe(topics, handler, options), change),
    subscribeBatch: (topics, handler, options) =>
      changedSubscription(t.subscribeBatch(topics, handler, options), change),
  });

export const eachMessage =
  (change: (message: Message) => Message): Break =>
  (t) => ({ publish: (topic, messages) => t.publish(topic, messages.map(change)) });
