import {
  type BatchHandler,
  type BatchOptions,
  type CheckpointedOptions,
  canPublishCheckpointed,
  type DeliveryHandler,
  type Logger,
  type SubscribeOptions,
  type Subscription,
  type Transport,
} from '@bento-bus/core';
import type { Instrument } from '../instrument.ts';
import { Faults } from './careful.ts';
import { PublishWatch } from './publishing.ts';
import { Watches } from './subscribing.ts';

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Where an instrument that throws is named, once a kind of fault. @default silentLogger */
  readonly logger?: Logger;
}

/**
 * The transport with instruments around all that is published, handled and taken as exhausted; the first instrument is outermost.
 * Everything else that the transport can do, it does as before. Make the bus, the relay and the projector on what this returns, so that
 * retries, dead letters and the relay's events are seen too. An instrument that throws never harms a message. Without instruments: the
 * transport itself.
 */
export function instrument<T extends Transport>(
  transport: T,
  instruments: readonly Instrument[],
  { logger }: InstrumentOptions = {},
): T {
  if (instruments.length === 0) return transport;
  const about = { system: transport.name };
  const faults = new Faults(logger);
  const watch = new PublishWatch(instruments, about, faults);
  const send: Transport['publish'] = (topic, messages) => transport.publish(topic, messages);
  const instrumented = Object.create(forwarding(transport)) as T;
  const watches = (topics: readonly string[], options: SubscribeOptions, batch: boolean): Watches =>
    new Watches(instruments, { topics, options, batch }, about, faults);

  const overrides = {
    publish: (topic, messages) => watch.publish(topic, messages, send),
    subscribe: async (topics: readonly string[], handler: DeliveryHandler, options: SubscribeOptions) => {
      const all = watches(topics, options, false);
      return opened(all, transport.subscribe(topics, handler, all.options(options, instrumented)));
    },
    subscribeBatch: async (
      topics: readonly string[],
      handler: BatchHandler,
      options: SubscribeOptions & BatchOptions,
    ) => {
      const all = watches(topics, options, true);
      const batch = all.batch(handler);
      return opened(all, transport.subscribeBatch(topics, batch, all.options(options, instrumented)));
    },
  } satisfies Partial<Transport>;
  define(instrumented, overrides);
  if (canPublishCheckpointed(transport)) {
    const openCheckpointed = async (log: string, options: CheckpointedOptions) =>
      watch.checkpointed(await transport.openCheckpointed(log, options));
    define(instrumented, { openCheckpointed });
  }
  return instrumented;
}

/** Own properties: an assignment would go to the transport. */
const define = (to: object, methods: object): void =>
  void Object.defineProperties(to, Object.getOwnPropertyDescriptors(methods));

async function opened(watches: Watches, opening: Promise<Subscription>): Promise<Subscription> {
  const subscription = await opening;
  watches.opened(subscription);
  return subscription;
}

/**
 * The transport as a prototype: what the object above it does not have itself comes from here, without a price for what it has.
 * Methods keep the transport as `this`, for its private fields.
 */
function forwarding<T extends object>(transport: T): T {
  const bound = new WeakMap<object, unknown>();
  return new Proxy(transport, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || name === 'constructor') return value;
      const known = bound.get(value);
      if (known !== undefined) return known;
      const method: unknown = value.bind(target);
      bound.set(value, method);
      return method;
    },
    // Here too a setter with private fields needs its own object.
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}
