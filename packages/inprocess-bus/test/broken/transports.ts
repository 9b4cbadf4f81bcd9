import { setImmediate } from 'node:timers/promises';
import { type DeliveryHandler, isBentoError, type Outcome, PublishError } from '@bento-bus/core';
import { brokenLogs } from './logs.ts';
import { unique } from './unique.ts';
import {
  type Break,
  eachBatch,
  eachContext,
  eachGroup,
  eachHandler,
  eachMessage,
  eachOptions,
  eachSubscription,
} from './ways.ts';

const never = (): Promise<never> => new Promise(() => {});
const ok: Outcome = { ok: true };

/** Tries up to 500 times in one delivery before its transport hears of the failure. */
const stubborn =
  (handler: DeliveryHandler): DeliveryHandler =>
  async (delivery, signal) => {
    for (let { attempt } = delivery; ; attempt += 1) {
      try {
        await handler({ ...delivery, attempt }, signal);
        return;
      } catch (error) {
        if (attempt >= 500) throw error;
        if (attempt % 50 === 0) await setImmediate();
      }
    }
  };

/** Transports broken on purpose, by what they do. */
export const brokenTransports: Readonly<Record<string, Break>> = {
  // ---- handling
  'acknowledges before the handler resolves': eachHandler((handler) => async (delivery, signal) => {
    void (async () => handler(delivery, signal))().catch(() => {});
  }),
  'drops what a handler rejects': eachHandler((handler) => async (delivery, signal) => {
    await (async () => handler(delivery, signal))().catch(() => {});
  }),
  'tries again at once': eachHandler(stubborn),
  'delivers each hundredth message twice': (t) => {
    let count = 0;
    const twice: (handler: DeliveryHandler) => DeliveryHandler = (handler) => async (delivery, signal) => {
      await handler(delivery, signal);
      count += 1;
      if (count % 100 === 0) await handler(delivery, signal);
    };
    return eachHandler(twice)(t);
  },
  'does not count attempts': eachHandler(
    (handler) => (delivery, signal) => handler({ ...delivery, attempt: 1 }, signal),
  ),
  'is stuck when a handler throws in the call': eachHandler((handler) => (delivery, signal) => {
    try {
      return handler(delivery, signal);
    } catch {
      return never();
    }
  }),
  'names the first topic always': (t) => ({
    subscribe: (topics, handler, options) =>
      t.subscribe(topics, (delivery, signal) => handler({ ...delivery, topic: topics[0] ?? '' }, signal), options),
  }),
  'gives all messages one position': eachHandler(
    (handler) => (delivery, signal) => handler({ ...delivery, position: '0' }, signal),
  ),

  // ---- order and concurrency
  'keeps no order': eachOptions(() => ({ ordering: 'none' })),
  "ignores ordering 'none'": eachOptions(() => ({ ordering: 'key' })),
  'ignores the bound of concurrency': eachOptions(() => ({ concurrency: 64 })),
  'handles one at a time whatever is asked for': eachOptions(() => ({ concurrency: 1 })),

  // ---- groups and start positions
  'has one group for all': eachGroup(() => 'the only one'),
  'makes each subscription a group of its own': eachGroup((group) => `${group}-${unique()}`),
  'lets groups begin at the earliest message always': eachOptions(() => ({ startPosition: 'earliest' })),
  'lets groups begin at the latest message always': eachOptions(() => ({ startPosition: 'latest' })),
  'keeps nothing for groups to come': eachOptions(({ use = [] }) => ({
    startPosition: 'latest',
    use: use.map((middleware) => (next, context) => middleware(next, { ...context, ensureTopic: () => {} })),
  })),
  'subscribes the first topic only': (t) => ({
    subscribe: (topics, handler, options) => t.subscribe(topics.slice(0, 1), handler, options),
  }),
  'takes any option': (t) => ({
    subscribe: (topics, handler, options) =>
      t.subscribe(topics, handler, { ...options, concurrency: options.concurrency || 1 }),
  }),

  // ---- limits of a lane
  'never exhausts a message': eachOptions(() => ({ maxHoldMs: 1_000_000, maxLaneBacklog: 1_000_000 })),
  'ignores the limit of the backlog': eachOptions(() => ({ maxLaneBacklog: 1_000_000 })),
  'never asks the hook': eachContext(() => ({ onExhausted: () => {} })),
  'acknowledges what the hook rejects': eachContext((context) => ({
    onExhausted: (take) => context.onExhausted((delivery, reason) => take(delivery, reason).catch(() => {})),
  })),
  'does not wait for the hook': eachContext((context) => ({
    onExhausted: (take) =>
      context.onExhausted(async (delivery, reason) => {
        void take(delivery, reason).catch(() => {});
      }),
  })),
  'does not tell the hook why': eachContext((context) => ({
    onExhausted: (take) => context.onExhausted((delivery) => take(delivery, undefined)),
  })),

  // ---- middleware
  'leaves out middleware': eachOptions(() => ({ use: [] })),
  'runs middleware inside out': eachOptions(({ use = [] }) => ({ use: use.toReversed() })),
  'shares one middleware among topics': eachOptions(({ use = [] }) => ({
    use: use.map((middleware) => {
      let built: DeliveryHandler | undefined;
      return (next, context) => (built ??= middleware(next, context));
    }),
  })),
  'knows nothing of lanes': eachContext(() => ({ lane: () => ({ heldMs: 0, backlog: 0 }) })),
  'consumes no added topics': eachContext(() => ({ alsoConsume: () => {} })),
  'forgets what middleware left for the close': eachContext(() => ({ onClose: () => {} })),
  'takes the last of several hooks': eachContext((context) => ({
    onExhausted: (take) => {
      try {
        context.onExhausted(take);
      } catch {
        // That is the promise being broken.
      }
    },
  })),

  // ---- batches
  'ignores the outcomes of a batch': eachBatch((handler) => async (batch, signal) => {
    await handler(batch, signal).catch(() => {});
    return batch.map(() => ok);
  }),
  'fails a batch as a whole': eachBatch((handler) => async (batch, signal) => {
    const outcomes = await handler(batch, signal);
    return outcomes.find((outcome) => !outcome.ok) === undefined
      ? outcomes
      : batch.map(() => ({ ok: false, error: new Error('one failed') }));
  }),
  'takes missing outcomes for success': eachBatch((handler) => async (batch, signal) => {
    const outcomes = await handler(batch, signal);
    return batch.map((_, index) => outcomes[index] ?? ok);
  }),
  'makes batches of any size': (t) => ({
    subscribeBatch: (topics, handler, options) => t.subscribeBatch(topics, handler, { ...options, size: 1_000 }),
  }),
  'waits for full batches': (t) => ({
    subscribeBatch: (topics, handler, options) => t.subscribeBatch(topics, handler, { ...options, waitMs: 1_000_000 }),
  }),

  // ---- closing
  'never closes': () => ({ close: never }),
  'closes with another promise each time': (t) => ({ close: async () => t.close() }),
  'does not close': () => {
    const closed = Promise.resolve();
    return { close: () => closed };
  },
  'never closes a subscription': eachSubscription(() => ({ close: never })),
  'never says that a subscription is closed': eachSubscription(() => ({ closed: never() })),
  'does not close a subscription': eachSubscription(() => {
    const closed = Promise.resolve();
    return { close: () => closed };
  }),
  'does not wait for handlers on close': eachOptions(() => ({ drainMs: 0 })),
  'waits too long for handlers on close': eachOptions(() => ({ drainMs: 2_000 })),

  // ---- publishing
  'publishes after close': (t) => ({
    publish: (topic, messages) =>
      t.publish(topic, messages).catch((error: unknown) => {
        if (!isBentoError(error, 'CLOSED')) throw error;
      }),
  }),
  'does not publish nothing': (t) => ({
    publish: async (topic, messages) => {
      if (messages.length === 0) throw new PublishError('there is no message', [], false);
      await t.publish(topic, messages);
    },
  }),
  'loses headers': eachMessage((message) => ({ ...message, headers: {} })),
  'loses keys': eachMessage(({ id, type, source, time, headers, body }) => ({ id, type, source, time, headers, body })),
  'takes bodies for text': eachMessage((message) => ({
    ...message,
    body: message.body && Buffer.from(Buffer.from(message.body).toString('utf8'), 'utf8'),
  })),
  'takes tombstones for empty bodies': eachMessage((message) => ({ ...message, body: message.body ?? Buffer.of() })),
  'takes the time of publishing for that of the message': eachMessage((message) => ({ ...message, time: Date.now() })),
  'loses one of many messages': (t) => ({
    publish: (topic, messages) => t.publish(topic, messages.length > 40 ? messages.slice(1) : messages),
  }),
  'publishes messages of one call in no order': (t) => ({
    publish: (topic, messages) => t.publish(topic, messages.toReversed()),
  }),
  'lies about what was not confirmed': (t) => ({
    publish: (topic, messages) =>
      t.publish(topic, messages).catch((cause: unknown) => {
        throw isBentoError(cause, 'CLOSED') ? cause : new PublishError('refused', [0], false, { cause });
      }),
  }),
  'delivers at once what is delayed': eachMessage(({ headers: { ce_deliverat: due, ...headers }, ...message }) => ({
    ...message,
    // A time that is none is refused all the same.
    headers:
      due === undefined || Number.isFinite(Number(due || Number.NaN)) ? headers : { ...headers, ce_deliverat: due },
  })),
  'takes a time that is none for no time': eachMessage((message) =>
    Number.isFinite(Number(message.headers['ce_deliverat'] || 0)) && message.headers['ce_deliverat'] !== ''
      ? message
      : { ...message, headers: {} },
  ),
  'declares what it does not keep': (t) => ({ capabilities: { ...t.capabilities, durable: true } }),

  ...brokenLogs,
};
