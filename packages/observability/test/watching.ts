import assert from 'node:assert/strict';
import type {
  Delivery,
  DeliveryHandler,
  Logger,
  Message,
  Middleware,
  Subscription,
  SubscriptionContext,
} from '@bento-bus/core';
import { closeOnce, deferred } from '@bento-bus/core/adapter';
import type { GaugeRegistry, GaugeValue } from '../src/gauges.ts';
import type { Instrument, SubscriptionWatch } from '../src/instrument.ts';
import type { GroupLag } from '../src/lag/options.ts';

const system = 'test';
let count = 0;

/** A message of type `t`, unlike all others. */
export const messageOf = (message: Partial<Message> = {}): Message => ({
  id: `m-${(count += 1)}`,
  type: 't',
  source: '/test',
  time: 1_000,
  headers: {},
  body: null,
  ...message,
});

/** Publishes as `instrument` would; `error`: the broker refuses. */
export function publish(instrument: Instrument, topic: string, messages: readonly Message[], error?: unknown): void {
  instrument.publishing?.(topic, messages, { system, checkpointed: false })?.end(error);
}

/** A subscription as `instrument` would open it, driven by hand. */
export function subscribe(
  instrument: Instrument,
  group: string,
  topic: string,
  handler: DeliveryHandler,
  /** The only one of the subscription. */
  use?: Middleware,
): {
  readonly deliver: (message: Message, attempt?: number) => Promise<void>;
  /** By a fault. */
  readonly end: (error: unknown) => void;
  readonly close: () => Promise<void>;
  readonly watch: SubscriptionWatch;
} {
  const watch = instrument.subscribing?.(
    { topics: [topic], options: { group, ...(use && { use: [use] }) }, batch: false },
    { system },
  );
  assert(watch !== undefined);
  const ended = deferred();
  ended.promise.catch(() => {});
  const subscription: Subscription = { closed: ended.promise, ...closeOnce(() => ended.resolve()) };
  const context = { topic, origin: topic, group } as SubscriptionContext;
  const inner = watch.inside?.(handler, context) ?? handler;
  const handled = use?.(inner, context) ?? inner;
  const handle = watch.use?.(handled, context) ?? handled;
  watch.opened?.(subscription);
  return {
    watch,
    deliver: async (message, attempt = 1) => {
      const delivery: Delivery = { topic, message, attempt, position: message.id };
      await handle(delivery, new AbortController().signal);
    },
    end: ended.reject,
    close: () => subscription.close(),
  };
}

const unremarkable: GroupLag = {
  topic: 'orders',
  group: 'mail',
  state: 'known',
  lag: 3,
  partitions: 1,
  members: 1,
  limit: 10,
  movedAt: 1,
  at: 3_600_001,
  error: undefined,
};

/** A monitor that has seen this. */
export const monitorOf = (lag: Partial<GroupLag>): { readonly current: () => readonly GroupLag[] } => ({
  current: () => [{ ...unremarkable, ...lag }],
});

/** A registry of gauges that a test reads. */
export function gauges(): {
  readonly metrics: GaugeRegistry;
  readonly known: { readonly name: string; readonly labels: readonly string[] }[];
  readonly read: () => Promise<readonly GaugeValue[]>;
} {
  const known: {
    name: string;
    labels: readonly string[];
    read: () => readonly GaugeValue[] | Promise<readonly GaugeValue[]>;
  }[] = [];
  return {
    known,
    metrics: { gauge: ({ prometheus: name }, _, labels, read) => void known.push({ name, labels, read }) },
    read: async () => (await Promise.all(known.map(async (one) => one.read()))).flat(),
  };
}

const nothing = (): void => {};

/** A log that keeps what is said above debug. */
export function listening(): { readonly logger: Logger; readonly told: string[] } {
  const told: string[] = [];
  const tell = (message: string): void => void told.push(message);
  return { told, logger: { debug: nothing, info: tell, warn: tell, error: tell } };
}
