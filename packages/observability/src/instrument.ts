import type { BatchHandler, Delivery, Message, Middleware, SubscribeOptions, Subscription } from '@bento-bus/core';

/** What an instrument knows of what it looks at. */
export interface Surroundings {
  /** The transport's name: `pulsar`, `kafka`, `inprocess`. */
  readonly system: string;
}

/** One publish under way. */
export interface Publishing {
  /** What goes out in place of the messages given: as many, with further headers. @default the messages given */
  readonly messages?: readonly Message[];
  /** Called once: undefined, all is stored. */
  end(error: unknown): void;
}

/** One subscription, single or batch. */
export interface Watched {
  readonly topics: readonly string[];
  readonly options: SubscribeOptions;
  readonly batch: boolean;
}

/** What an instrument does with one subscription. All is optional. */
export interface SubscriptionWatch {
  /** Around every delivery, outside of all other middleware. */
  readonly use?: Middleware;
  /**
   * Around the handler itself, inside of all other middleware: sees each try and how it ended, also what `retry` answers by storing a copy.
   * Not called for what middleware keeps from the handler. In a batch subscription it is around each delivery by itself.
   */
  readonly inside?: Middleware;
  /** Around the innermost handler of a batch subscription. */
  readonly batch?: (handler: BatchHandler) => BatchHandler;
  /** Around the hook that takes exhausted deliveries; `take` as the middleware registered it. */
  readonly exhausted?: (
    take: (delivery: Delivery, reason: unknown) => Promise<void>,
  ) => (delivery: Delivery, reason: unknown) => Promise<void>;
  /** Once it is open. */
  readonly opened?: (subscription: Subscription) => void;
}

/** Something that watches a transport: metrics, traces, health, the trail of messages. Must not throw. */
export interface Instrument {
  /** Called once a publish and topic, also for the log that a relay publishes (`checkpointed`); undefined: not interested. */
  publishing?(
    topic: string,
    messages: readonly Message[],
    about: Surroundings & { readonly checkpointed: boolean },
  ): Publishing | undefined;
  /** Called once a subscription, before it opens. */
  subscribing?(watched: Watched, about: Surroundings): SubscriptionWatch;
}
