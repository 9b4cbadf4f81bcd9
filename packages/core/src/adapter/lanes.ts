import type { Logger } from '../logger.ts';
import type { Delivery } from '../message.ts';
import type { BatchHandler } from '../transport.ts';
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { Scheduler } from './scheduler.ts';

/** How lanes work. `T` is the adapter's own handle of a delivery: what it acknowledges with. */
export interface LanesOptions<T> {
  /** As `prepareSubscription` makes it. A throw, a rejection and outcomes that do not fit the batch fail all of it. */
  readonly handler: BatchHandler;
  /** Largest batch; 1: single handling. */
  readonly size: number;
  /** A batch that is not full starts this long after it could have. Milliseconds; nothing to a size of 1. */
  readonly waitMs: number;
  /** Batches with the handler at once. */
  readonly concurrency: number;
  /** `'none'`: every delivery is a lane of its own. */
  readonly ordering: 'key' | 'none';
  /** How long a failing delivery holds its lane before `exhausted` is asked. Milliseconds. */
  readonly maxHoldMs: number;
  /** How many may wait behind a failing delivery before `exhausted` is asked. */
  readonly maxLaneBacklog: number;
  /** Deliveries taken and not yet settled; beyond it {@link Lanes.room} waits. @default the largest of 1_000, 2 * concurrency * size and 2 * maxLaneBacklog */
  readonly maxInFlight?: number;
  /**
   * Acknowledges. Called once a delivery, after its handler or the exhausted hook has succeeded. A promise holds the slot and the lane
   * until it resolves. A throw or rejection is a fault of the subscription, see `onFault`.
   */
  readonly settle: (token: T, delivery: Delivery) => void | Promise<void>;
  /** The acknowledgement failed: nothing more is started; end the subscription with this error. Called once. */
  readonly onFault: (error: unknown) => void;
  /** Takes what its lane may hold no longer. Resolves: settled. Rejects: asked again after a backoff; with the very reason: the handler tries again. Undefined: nobody takes it, the lane holds on. */
  readonly exhausted?: (delivery: Delivery, reason: unknown) => Promise<void> | undefined;
  /** A lane has reached its limit and nobody takes its failing delivery. Once a hold. */
  readonly onLimit?: (delivery: Delivery, reason: unknown) => void;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Wait before a failing delivery, or a refusing hook, is tried again. @default fullJitter() */
  readonly backoff?: Backoff;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/**
 * The scheduler of a subscription. Deliveries of one key (without a key: of one id) form a lane and are handled one after the other in
 * the order they were pushed; different lanes run together, up to `concurrency` batches. A failing delivery holds its lane, but no slot:
 * it is tried again alone, with `attempt` one higher, after a backoff. At the lane's limits (`maxHoldMs`, `maxLaneBacklog`) `exhausted`
 * takes it; the last try is at `maxHoldMs`. Nothing of the user's runs before {@link Lanes.push} has returned. Memory is bounded by
 * what is in flight, however many keys there are.
 */
export interface Lanes<T> {
  /**
   * Takes a delivery; false when draining or after a fault: it stays with the caller. Ask {@link Lanes.room} before. With `condemned`, a
   * reason, its handler is not called: at its turn `exhausted` takes it, and where nobody does it holds its lane untried.
   */
  push(delivery: Delivery, token: T, condemned?: unknown): boolean;
  /**
   * Back-pressure. Undefined: there is room; else resolves when there may be: ask again. With `next`, the delivery to be pushed: only
   * the limit of its own lane counts, so that a source that is read in order pauses alone. Without: that of every lane.
   */
  room(next?: Delivery): Promise<void> | undefined;
  /** Deliveries taken and not yet settled. */
  readonly inFlight: number;
  /** Batches with the handler or being settled: never more than `concurrency`. */
  readonly running: number;
  /** For `SubscriptionContext.lane`: how long the delivery's lane has been held by a failing one (0: it is not), and how many wait behind. */
  stateOf(delivery: Delivery): { readonly heldMs: number; readonly backlog: number };
  /** What has failed and holds its lane; `attempt` says how often its handler was started. */
  held(): Iterable<{ readonly delivery: Delivery; readonly token: T }>;
  /** Starts nothing more, neither handlers nor hooks, until {@link Lanes.resume}: a rebalance is near. */
  pause(): void;
  resume(): void;
  /** Resolves when no handler and no hook is at work and nothing is being settled; while paused this lasts. */
  idle(): Promise<void>;
  /**
   * Drops what `drop` names and has not started, held deliveries too, and returns their tokens: the partition was taken away.
   * Those that run are settled if they succeed and not tried again if they fail.
   */
  discard(drop: (delivery: Delivery, token: T) => boolean): readonly T[];
  /**
   * Stops taking and starting; lets what runs finish and settle. After `deadlineMs` aborts the handlers' signal and settles nothing more.
   * Resolves with the tokens left unacknowledged, in order per lane; one whose acknowledgement is under way at the deadline is among
   * them. Later calls return the first promise.
   */
  drain(deadlineMs: number): Promise<readonly T[]>;
}

/** Makes the scheduler of one subscription. */
export const createLanes = <T>(options: LanesOptions<T>): Lanes<T> => new Scheduler(options);
