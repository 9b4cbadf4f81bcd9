import { Buffer } from 'node:buffer';
import type {
  BatchHandler,
  Delivery,
  DeliveryHandler,
  Message,
  SubscribeOptions,
  SubscriptionContext,
} from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import type { Instrument, SubscriptionWatch } from '../../src/index.ts';

export const signal: AbortSignal = new AbortController().signal;

export const messageOf = (id: string, headers: Readonly<Record<string, string>> = {}): Message => ({
  id,
  type: 'test.happened',
  source: '/test',
  time: 0,
  key: 'k',
  headers: { 'content-type': 'text/plain', ...headers },
  body: Buffer.from('12345'),
});

export const deliveryOf = (message: Message, changes: Partial<Delivery> = {}): Delivery => ({
  topic: 'orders',
  message,
  attempt: 1,
  position: '3@42',
  ...changes,
});

/** What goes out, as the transport gets it; ends as the transport says. */
export function publish(
  instrument: Instrument,
  topic: string,
  messages: readonly Message[],
  { error, system = 'kafka' }: { readonly error?: unknown; readonly system?: string } = {},
): readonly Message[] {
  const publishing = instrument.publishing?.(topic, messages, { system, checkpointed: false });
  publishing?.end(error);
  return publishing?.messages ?? messages;
}

interface Subscribed {
  readonly system?: string;
  readonly topic?: string;
  readonly origin?: string;
  readonly batch?: boolean;
}

function watchOf(
  instrument: Instrument,
  { batch = false, system = 'kafka', topic = 'orders' }: Subscribed,
): SubscriptionWatch {
  const options: SubscribeOptions = { group: 'mail' };
  return instrument.subscribing?.({ topics: [topic], options, batch }, { system }) ?? {};
}

/** The handler with the instrument's middleware around it, as the runtime builds it. */
export function around(instrument: Instrument, handler: DeliveryHandler, about: Subscribed = {}): DeliveryHandler {
  const { origin = about.topic ?? 'orders', topic = 'orders' } = about;
  // All that the middleware of an instrument may read; the rest is for middleware that acts.
  const subscription = { topic, origin, group: 'mail' } as SubscriptionContext;
  return watchOf(instrument, about).use?.(handler, subscription) ?? handler;
}

/** A batch as the runtime handles it: each delivery passes the middleware, then all reach the handler together. */
export function aroundBatch(instrument: Instrument, handler: BatchHandler, about: Subscribed = {}) {
  const inner = watchOf(instrument, { ...about, batch: true }).batch?.(handler) ?? handler;
  return async (batch: readonly Delivery[]): Promise<void> => {
    const handed: Delivery[] = [];
    const arrived = deferred();
    const outcomes = arrived.promise.then(() => inner(handed, signal));
    const passing = batch.map((delivery, index) =>
      around(
        instrument,
        async (inside) => {
          handed[index] = inside;
          const outcome = (await outcomes)[index];
          if (outcome?.ok === false) throw outcome.error;
        },
        { ...about, topic: delivery.topic },
      )(delivery, signal),
    );
    arrived.resolve();
    await Promise.allSettled(passing);
  };
}

export const exhausted = (
  instrument: Instrument,
  take: (delivery: Delivery, reason: unknown) => Promise<void>,
): ((delivery: Delivery, reason: unknown) => Promise<void>) => watchOf(instrument, {}).exhausted?.(take) ?? take;
