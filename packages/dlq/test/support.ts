import { Buffer } from 'node:buffer';
import type { Delivery, DeliveryHandler, Message, Middleware, SubscriptionContext } from '@bento-bus/core';

export const messageOf = (given: Partial<Message> = {}): Message => ({
  id: 'm-1',
  type: 'test.happened',
  source: '/test',
  time: 1,
  headers: { 'x-a': '1' },
  body: Buffer.from('body'),
  ...given,
});

export const deliveryOf = (given: Partial<Delivery> = {}): Delivery => ({
  topic: 'orders',
  message: messageOf(),
  attempt: 1,
  position: 'p-1',
  ...given,
});

/** A subscription that takes down what middleware asks of it. */
export interface Recorded {
  readonly published: (readonly [topic: string, message: Message])[];
  readonly consumed: string[];
  readonly ensured: (readonly [topic: string, subscription: string | undefined])[];
  /** What the next publishes reject with. */
  readonly refusals: unknown[];
  exhausted?: (delivery: Delivery, reason: unknown) => Promise<void>;
  wait?: (delivery: Delivery, failures: number, error: unknown) => number | undefined;
  now: number;
  heldMs: number;
}

export function record(): Recorded {
  return { published: [], consumed: [], ensured: [], refusals: [], now: 10_000, heldMs: 0 };
}

/** The handler of a topic as a transport would build it. */
export function build(
  middleware: Middleware,
  next: DeliveryHandler,
  recorded: Recorded,
  { topic = 'orders', origin = 'orders' } = {},
): (delivery: Delivery, signal?: AbortSignal) => Promise<void> {
  const context: SubscriptionContext = {
    topic,
    origin,
    group: 'mail',
    publisher: {
      publish: async (to, messages) => {
        if (recorded.refusals.length > 0) throw recorded.refusals.shift();
        recorded.published.push(...messages.map((message) => [to, message] as const));
      },
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    },
    now: () => recorded.now,
    lane: () => ({ heldMs: recorded.heldMs, backlog: 0 }),
    alsoConsume: (added) => void recorded.consumed.push(added),
    ensureTopic: (needed, { subscription } = {}) => void recorded.ensured.push([needed, subscription]),
    onExhausted: (take) => {
      recorded.exhausted = take;
    },
    retryAfter: (wait) => {
      recorded.wait = wait;
    },
    onClose: () => {},
  };
  const handler = middleware(next, context);
  return (delivery, signal = new AbortController().signal) => handler(delivery, signal);
}
