import {
  type BatchHandler,
  compose,
  type Delivery,
  type DeliveryHandler,
  type Middleware,
  type Publisher,
  type SubscribeOptions,
  type Subscription,
  type SubscriptionContext,
} from '@bento-bus/core';
import type { Instrument, SubscriptionWatch, Surroundings, Watched } from '../instrument.ts';
import { careful, carefulOfSteady, type Faults, isSteady } from './careful.ts';

type Taking = (delivery: Delivery, reason: unknown) => Promise<void>;
type Part = 'use' | 'inside' | 'batch' | 'exhausted' | 'opened';

/** One subscription with all that watch it. */
export class Watches {
  readonly #watches: readonly (readonly [index: number, watch: SubscriptionWatch])[];
  readonly #faults: Faults;
  readonly #instruments: readonly Instrument[];

  constructor(instruments: readonly Instrument[], watched: Watched, about: Surroundings, faults: Faults) {
    this.#faults = faults;
    this.#instruments = instruments;
    this.#watches = instruments.flatMap((instrument, index) => {
      const watch = faults.attempt(index, 'subscribing', () => instrument.subscribing?.(watched, about));
      return watch === undefined ? [] : [[index, watch] as const];
    });
  }

  /** The options with one middleware: the instruments' around those given, and inside of them. `publisher`: what the given ones publish with. */
  options<O extends SubscribeOptions>(options: O, publisher: Publisher): O {
    const { use = [] } = options;
    // The transport says what is wrong.
    if (!Array.isArray(use) || !use.every((one) => typeof one === 'function')) return options;
    // A batch without middleware takes a shorter way.
    if (use.length === 0 && !this.#watches.some(([, { use: outside, inside }]) => outside ?? inside)) return options;
    return { ...options, use: [this.#around(compose(use), publisher)] };
  }

  batch(handler: BatchHandler): BatchHandler {
    return this.#wrapped('batch', (watch, inner) => watch.batch?.(inner) ?? inner, handler);
  }

  opened(subscription: Subscription): void {
    for (const [index, watch] of this.#watches)
      this.#faults.attempt(index, 'opened', () => watch.opened?.(subscription));
  }

  #around(given: Middleware, publisher: Publisher): Middleware {
    return (next, subscription) => {
      const inside = this.#wrapped('inside', (watch, inner) => watch.inside?.(inner, subscription) ?? inner, next);
      const handler: DeliveryHandler = given(inside, this.#context(subscription, publisher));
      return this.#wrapped('use', (watch, inner) => watch.use?.(inner, subscription) ?? inner, handler);
    };
  }

  /** What the given middleware sees of the subscription: what it publishes and takes is watched. */
  #context(subscription: SubscriptionContext, publisher: Publisher): SubscriptionContext {
    const { topic, origin, group } = subscription;
    return {
      topic,
      origin,
      group,
      publisher,
      now: () => subscription.now(),
      lane: (delivery) => subscription.lane(delivery),
      alsoConsume: (added) => subscription.alsoConsume(added),
      ensureTopic: (needed, options) => subscription.ensureTopic(needed, options),
      onExhausted: (take) => {
        const watched = this.#wrapped<Delivery, unknown, void>(
          'exhausted',
          (watch, inner: Taking) => watch.exhausted?.(inner) ?? inner,
          take,
        );
        subscription.onExhausted(watched);
      },
      retryAfter: (wait) => subscription.retryAfter(wait),
      onClose: (fn) => subscription.onClose(fn),
    };
  }

  /** The first instrument is outermost. */
  #wrapped<D, S, R>(
    part: Part,
    wrap: (
      watch: SubscriptionWatch,
      inner: (delivery: D, second: S) => Promise<R>,
    ) => (delivery: D, second: S) => Promise<R>,
    innermost: (delivery: D, second: S) => Promise<R>,
  ): (delivery: D, second: S) => Promise<R> {
    return this.#watches.reduceRight((inner, [index, watch]) => {
      if (watch[part] === undefined) return inner;
      const guard = isSteady(this.#instruments[index]) ? carefulOfSteady : careful;
      return guard(
        (next) => wrap(watch, next),
        inner,
        (error) => this.#faults.report(index, part, error),
      );
    }, innermost);
  }
}
