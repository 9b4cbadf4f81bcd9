import {
  type CheckpointedPublisher,
  type CheckpointedPublishing,
  canPublishCheckpointed,
  type Middleware,
  type PublishError,
  type Publisher,
  type SubscribeOptions,
  type Subscription,
  type SubscriptionContext,
  type Transport,
} from '@bento-bus/core';
import type { Ledger } from './ledger.ts';
import type { Reader } from './reader.ts';

/** The transport with all its powers; what passes it goes into the ledger. */
export function recording<T extends Transport>(transport: T, ledger: Ledger): T {
  const publisher = recordingPublisher(transport, ledger);
  const own: Partial<Transport & CheckpointedPublishing> = {
    publish: (topic, messages) => publisher.publish(topic, messages),
    subscribe: (topics, handler, options) =>
      subscribed(ledger, options, (use) => transport.subscribe(topics, handler, { ...options, use })),
    subscribeBatch: (topics, handler, options) =>
      subscribed(ledger, options, (use) => transport.subscribeBatch(topics, handler, { ...options, use })),
    ...(canPublishCheckpointed(transport) && {
      openCheckpointed: async (log, options) => recordingLog(await transport.openCheckpointed(log, options), ledger),
    }),
  };
  // On an object of its own: what a proxy shows of a frozen one cannot be replaced.
  return new Proxy({} as T, {
    has: (_, name) => name in transport,
    get: (_, name) => {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      const value: unknown = Reflect.get(transport, name);
      return typeof value === 'function' ? value.bind(transport) : value;
    },
  });
}

function recordingPublisher(publisher: Publisher, ledger: Ledger): Publisher {
  return {
    async publish(topic, messages) {
      // The transport says what is wrong with it.
      if (!Array.isArray(messages)) return publisher.publish(topic, messages);
      const records = ledger.publishing(topic, messages);
      try {
        await publisher.publish(topic, messages);
      } catch (error) {
        const { failed } = error as Partial<PublishError>;
        ledger.sent(topic, Array.isArray(failed) ? records.filter((_, index) => failed.includes(index)) : records);
        throw error;
      }
      ledger.sent(topic);
    },
    close: () => publisher.close(),
    [Symbol.asyncDispose]: () => publisher.close(),
  };
}

function recordingLog(log: CheckpointedPublisher, ledger: Ledger): CheckpointedPublisher {
  let through = log.resumeAfter;
  return {
    get resumeAfter() {
      return log.resumeAfter;
    },
    async publish(items, to) {
      const fresh = items.filter(({ position }) => position > through);
      const sent = fresh.map(({ topic, message }) => [topic, ledger.publishing(topic, [message])] as const);
      try {
        await log.publish(items, to);
      } catch (error) {
        for (const [topic, records] of sent) ledger.sent(topic, records);
        throw error;
      }
      for (const [topic] of sent) ledger.sent(topic);
      if (to > through) through = to;
    },
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log.close(),
  };
}

/** Everything is seen by middleware, the first and the last: so batches are recorded one by one as well. */
async function subscribed(
  ledger: Ledger,
  { group, startPosition = 'earliest', use = [] }: SubscribeOptions,
  start: (use: readonly Middleware[]) => Promise<Subscription>,
): Promise<Subscription> {
  // The transport says what is wrong with it.
  if (!Array.isArray(use) || !use.every((one) => typeof one === 'function')) return start(use);
  const readers = new Map<string, Reader>();
  const contexts = new WeakMap<SubscriptionContext, SubscriptionContext>();
  const readerOf = ({ topic }: SubscriptionContext): Reader => readers.get(topic) as Reader;
  const contextOf = (subscription: SubscriptionContext): SubscriptionContext => {
    const known = contexts.get(subscription);
    if (known !== undefined) return known;
    ledger.now = () => subscription.now();
    if (!readers.has(subscription.topic)) readers.set(subscription.topic, ledger.read(subscription, startPosition));
    const made = recordingContext(subscription, readerOf(subscription), ledger);
    contexts.set(subscription, made);
    return made;
  };
  const first: Middleware = (next, subscription) => {
    contextOf(subscription);
    const reader = readerOf(subscription);
    return async (delivery, signal) => {
      ledger.started(reader, delivery);
      try {
        await next(delivery, signal);
      } catch (error) {
        ledger.rejected(reader, delivery, error);
        throw error;
      }
      // Past the deadline of a close nothing is acknowledged any more.
      if (!signal.aborted) ledger.acknowledged(reader, delivery);
    };
  };
  const last: Middleware = (next, subscription) => {
    contextOf(subscription);
    const reader = readerOf(subscription);
    return async (delivery, signal) => {
      ledger.calls(reader, delivery);
      try {
        await next(delivery, signal);
      } catch (error) {
        ledger.threw(reader, delivery, error);
        throw error;
      }
      ledger.handled(reader, delivery);
    };
  };
  const between = use.map(
    (middleware): Middleware =>
      (next, subscription) =>
        middleware(next, contextOf(subscription)),
  );
  const leave = (): void => ledger.left([...readers.values()]);
  try {
    const subscription = await start([first, ...between, last]);
    ledger.joined([...readers.values()]);
    subscription.closed.then(leave, (error: unknown) => {
      ledger.fault ??= { group, error };
      leave();
    });
    return subscription;
  } catch (error) {
    leave();
    throw error;
  }
}

function recordingContext(subscription: SubscriptionContext, reader: Reader, ledger: Ledger): SubscriptionContext {
  return {
    topic: subscription.topic,
    origin: subscription.origin,
    group: subscription.group,
    publisher: recordingPublisher(subscription.publisher, ledger),
    now: () => subscription.now(),
    lane: (delivery) => subscription.lane(delivery),
    alsoConsume: (topic) => subscription.alsoConsume(topic),
    ensureTopic: (topic, options) => subscription.ensureTopic(topic, options),
    onExhausted: (take) =>
      subscription.onExhausted(async (delivery, reason) => {
        ledger.taking(reader, delivery);
        try {
          await take(delivery, reason);
        } catch (error) {
          ledger.kept(reader, delivery, error);
          throw error;
        }
        ledger.acknowledged(reader, delivery);
      }),
    retryAfter: (wait) => subscription.retryAfter(wait),
    onClose: (fn) => subscription.onClose(fn),
  };
}
