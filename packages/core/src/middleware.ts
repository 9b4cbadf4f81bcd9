import type { Delivery } from './message.ts';
import type { DeliveryHandler, Publisher } from './transport.ts';

/** Built once per subscription and topic, before its first delivery. */
export interface SubscriptionContext {
  readonly topic: string;
  /** The topic asked for that this one was added to by `alsoConsume`; for those asked for, the topic itself. */
  readonly origin: string;
  readonly group: string;
  readonly publisher: Publisher;
  /** The transport's time, epoch milliseconds: virtual in tests. */
  now(): number;
  /** How long the delivery's lane has been held by a failing message (0: it is not), and how many messages wait behind. */
  lane(delivery: Delivery): { readonly heldMs: number; readonly backlog: number };
  /** Also consume this topic in the same group and lanes. */
  alsoConsume(topic: string): void;
  /** Made before the first delivery; with `subscription` nothing published to it is lost before somebody reads. */
  ensureTopic(topic: string, options?: { readonly subscription?: string; readonly compacted?: boolean }): void;
  /**
   * Exhausted, overflowing and suspect deliveries come here; resolving acknowledges, rejecting keeps the delivery in its lane:
   * the hook is asked again, or, where it rejects with the very `reason` it was given, the handler tries again. Without a hook the lane holds and at its limit the partition pauses. A second registration is a `CONFIGURATION` error.
   */
  onExhausted(take: (delivery: Delivery, reason: unknown) => Promise<void>): void;
  /**
   * How long a delivery that failed waits in its lane before it is tried again, milliseconds; `failures` counts from 1 within this hold.
   * Undefined: the transport's own wait, exponential with full jitter up to 5 s. Waiting ends with the lane's `maxHoldMs`. A second
   * registration is a `CONFIGURATION` error.
   */
  retryAfter(wait: (delivery: Delivery, failures: number, error: unknown) => number | undefined): void;
  /** Runs when the subscription has drained, in reverse order of registration. */
  onClose(fn: () => Promise<void>): void;
}

/**
 * Wraps a handler; everything cross-cutting is one of these. The outer function runs once per subscription and topic.
 * In a batch subscription each delivery passes by itself, at the same time as the others of its batch, and what reaches the innermost
 * handler is handled together; leave `topic`, `position` and the message's `id` of what you hand on as they are.
 * An error of code `ABORTED` is no fault of the message, which will be delivered again: let it pass.
 */
export type Middleware = (next: DeliveryHandler, subscription: SubscriptionContext) => DeliveryHandler;

/** One middleware out of many; the first is outermost. */
export function compose(middleware: readonly Middleware[]): Middleware {
  return (next, subscription) => middleware.reduceRight((inner, wrap) => wrap(inner, subscription), next);
}
