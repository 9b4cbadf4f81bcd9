import {
  type BatchItem,
  type BusEvent,
  type BusSubscribeOptions,
  defineEvents,
  type EventBatchHandler,
  type EventContext,
  type MessageBus,
  type Middleware,
  type Outcome,
} from '@bento-bus/core';
import type { Clock } from '@bento-bus/core/adapter';
import { z } from 'zod';

export const orderEvents = defineEvents(
  { topic: 'orders' },
  {
    'order.placed': { version: 1, schema: z.object({ orderId: z.string(), total: z.coerce.number() }) },
    'order.shipped': { version: 1, schema: z.object({ orderId: z.string() }) },
  },
);

/** As a transport hands it over; `position` says which delivery it is. */
export const contextOf = (position: string, given: Partial<EventContext> = {}): EventContext => ({
  id: `m${position}`,
  topic: 'orders',
  headers: {},
  attempt: 1,
  position,
  correlationId: `m${position}`,
  signal: new AbortController().signal,
  ...given,
});

export const placed = (orderId = 'o1'): BusEvent<'order.placed'> => ({
  type: 'order.placed',
  data: { orderId, total: 1 },
  id: orderId,
  time: 0,
});

/** `<key><number>` of a type, as an item of a batch. */
export const item = (text: string, type: 'order.placed' | 'order.shipped'): BatchItem<BusEvent> => ({
  event: { type, data: { orderId: text }, id: text, time: 0 },
  context: contextOf(text, { key: text.slice(0, 1) }),
});

/** Keeps the batch handler that it is given. Everything else of a bus is somebody else's test. */
export function batchBus(): {
  readonly bus: MessageBus;
  readonly handle: (batch: readonly BatchItem<BusEvent>[]) => Promise<readonly Outcome[]>;
} {
  let kept: EventBatchHandler<BusEvent> | undefined;
  const subscribeBatch = async (_: unknown, handler: unknown) => {
    kept = handler as EventBatchHandler<BusEvent>;
  };
  return {
    bus: { subscribeBatch } as unknown as MessageBus,
    handle: async (batch) => (await kept?.(batch, new AbortController().signal)) ?? [],
  };
}

/** Keeps the middleware that it is given. */
export function middlewareBus(): { readonly bus: MessageBus; readonly use: () => readonly Middleware[] } {
  let kept: readonly Middleware[] = [];
  const subscribe = async (_: unknown, _handler: unknown, { use = [] }: BusSubscribeOptions) => {
    kept = use;
  };
  return { bus: { subscribe } as unknown as MessageBus, use: () => kept };
}

/** Time that stands until the test lets the last timer expire. */
export function manualClock(): {
  readonly clock: Clock;
  readonly expire: () => void;
  readonly timers: () => number;
} {
  let due: (() => void) | undefined;
  let timers = 0;
  const schedule = (fn: () => void) => {
    due = fn;
    timers += 1;
    return () => {
      timers -= 1;
    };
  };
  return { clock: { now: () => 0, schedule }, expire: () => due?.(), timers: () => timers };
}

/** A signal that counts the listeners that it was given. */
export function watchedSignal(): {
  readonly signal: AbortSignal;
  readonly count: () => number;
  readonly abort: () => void;
} {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count += 1;
    add(...args);
  };
  return { signal, count: () => count, abort: () => controller.abort(new Error('drained')) };
}
