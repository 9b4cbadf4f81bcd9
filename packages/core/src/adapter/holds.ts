import { headerNames } from '../headers.ts';
import type { LogFields, Logger } from '../logger.ts';
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Gate } from './gate.ts';
import type { Hold, Item, Lane } from './lane.ts';
import type { LanesOptions } from './lanes.ts';

/** What holding needs of the scheduler. */
export interface HoldsContext<T> {
  readonly options: LanesOptions<T>;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly logger: Logger;
  /** Opened when a lane leaves its limit. */
  readonly gate: Gate;
  /** The lane's held delivery is to be tried again. */
  readonly retry: (lane: Lane<T>) => void;
  readonly settle: (item: Item<T>) => Promise<void> | undefined;
  /** The delivery is no longer ours. */
  readonly forget: (item: Item<T>) => void;
  /** The hold has ended: the lane may go on. */
  readonly release: (lane: Lane<T>) => void;
  /** A call of the exhausted hook has ended. */
  readonly idle: () => void;
}

/** Failing deliveries at the front of their lanes: when they are tried again, and when the exhausted hook takes them. */
export class Holds<T> {
  /** Calls of the exhausted hook at work. */
  taking = 0;
  /** Nothing is offered to the hook. */
  paused = false;
  readonly #context: HoldsContext<T>;
  /** Lanes with more behind their held delivery than may be. */
  readonly #atLimit = new Set<Lane<T>>();
  #stopped = false;
  #over = false;

  constructor(context: HoldsContext<T>) {
    this.#context = context;
  }

  /** The lane's front has failed: it is held from now on, or still. {@link Holds.judge} says what follows. */
  fail(item: Item<T>, error: unknown): void {
    const { clock, logger } = this.#context;
    logger.warn('the handler failed; the message holds its lane', fieldsOf(item, error));
    const { lane } = item;
    if (lane.hold === undefined) {
      const since = clock.now();
      lane.hold = { item, since, failures: 0, error, state: 'running', cancel: nothing, refusals: 0, unclaimed: false };
    }
    lane.hold.failures += 1;
    lane.hold.error = error;
  }

  /** The lane's front must not be started: the hook takes it, or it holds the lane untried. Once the caller has returned: the hook is the user's. */
  condemn(item: Item<T>, reason: unknown): void {
    const { lane } = item;
    const since = this.#context.clock.now();
    const hold: Hold<T> = {
      item,
      since,
      failures: 1,
      error: reason,
      state: 'waiting',
      cancel: nothing,
      refusals: 0,
      unclaimed: false,
    };
    lane.hold = hold;
    this.check(lane);
    this.#wait(lane, hold, 0);
  }

  /** Lets a delivery that has just failed wait for its next try, or gives it away. */
  judge(lane: Lane<T>, hold: Hold<T>): void {
    const { options, clock, backoff, forget, release } = this.#context;
    if (hold.item.dropped) {
      forget(hold.item);
      this.end(lane);
      release(lane);
      return;
    }
    const overflowing = this.check(lane);
    const left = options.maxHoldMs - (clock.now() - hold.since);
    if ((left <= 0 || overflowing) && !this.paused && this.#offer(lane, hold)) return;
    const wait = backoff(hold.failures, hold.error, hold.item.delivery);
    // The last try is at the limit.
    this.#wait(lane, hold, left > 0 ? Math.min(wait, left) : wait);
  }

  /** One more came to a lane that is held. */
  grown(lane: Lane<T>, hold: Hold<T>): void {
    if (!this.check(lane) || !isIdle(hold)) return;
    // Once the caller has returned: the hook is the user's.
    queueMicrotask(() => {
      if (lane.hold !== hold || !isIdle(hold) || !this.isAtLimit(lane) || this.paused) return;
      const { cancel } = hold;
      if (this.#offer(lane, hold)) cancel();
    });
  }

  end(lane: Lane<T>): void {
    lane.hold = undefined;
    if (this.#atLimit.delete(lane)) this.#context.gate.open();
  }

  /** True when more wait behind the held delivery than may. */
  check(lane: Lane<T>): boolean {
    const over = lane.waiting > this.#context.options.maxLaneBacklog;
    if (over) this.#atLimit.add(lane);
    else if (this.#atLimit.delete(lane)) this.#context.gate.open();
    return over;
  }

  /** Whether the lane is at its limit; without a lane: any. */
  isAtLimit(lane?: Lane<T>): boolean {
    return lane === undefined ? this.#atLimit.size > 0 : this.#atLimit.has(lane);
  }

  /** Nothing is tried or offered again. */
  stop(lanes: Iterable<Lane<T>>): void {
    this.#stopped = true;
    for (const { hold } of lanes) hold?.cancel();
  }

  /** Results of the hook are ignored. */
  abandon(): void {
    this.#over = true;
  }

  #wait(lane: Lane<T>, hold: Hold<T>, ms: number): void {
    hold.state = 'waiting';
    if (this.#stopped) return;
    hold.cancel = this.#context.clock.schedule(() => {
      if (hold.refusals > 0 || hold.item.condemned !== undefined) {
        if (this.paused) {
          this.#wait(lane, hold, pausedMs);
          return;
        }
        if (this.#offer(lane, hold) || hold.item.condemned !== undefined) return;
      }
      hold.state = 'due';
      this.#context.retry(lane);
    }, ms);
  }

  /** Gives a delivery to the exhausted hook; false when there is none, or nothing is begun any more. */
  #offer(lane: Lane<T>, hold: Hold<T>): boolean {
    if (this.#stopped) return false;
    const { options, logger } = this.#context;
    const { item, error } = hold;
    let taken: Promise<void> | undefined;
    try {
      taken = options.exhausted?.(item.delivery, error);
    } catch (refusal) {
      taken = Promise.reject(refusal);
    }
    if (taken === undefined) {
      if (hold.unclaimed) return false;
      hold.unclaimed = true;
      logger.warn('the lane is at its limit and nobody takes its failing message', fieldsOf(item, error));
      options.onLimit?.(item.delivery, error);
      return false;
    }
    hold.state = 'taking';
    this.taking += 1;
    taken.then(
      () => this.#taken(lane, item),
      (refusal: unknown) => this.#refused(lane, hold, refusal),
    );
    return true;
  }

  #taken(lane: Lane<T>, item: Item<T>): void {
    if (this.#over) return;
    const settling = this.#context.settle(item);
    if (settling === undefined) this.#gone(lane);
    else void settling.then(() => this.#gone(lane));
  }

  #gone(lane: Lane<T>): void {
    if (this.#over) return;
    this.taking -= 1;
    this.end(lane);
    this.#context.release(lane);
    this.#context.idle();
  }

  #refused(lane: Lane<T>, hold: Hold<T>, error: unknown): void {
    if (this.#over) return;
    const { logger, backoff, idle } = this.#context;
    // It gave the reason back: not its business, the handler is to try again.
    if (error === hold.error && hold.item.condemned === undefined) {
      this.taking -= 1;
      hold.unclaimed = true;
      if (hold.item.dropped) this.judge(lane, hold);
      else this.#wait(lane, hold, backoff(hold.failures, error, hold.item.delivery));
      idle();
      return;
    }
    logger.error('an exhausted message could not be taken; it stays unacknowledged', fieldsOf(hold.item, error));
    this.taking -= 1;
    hold.refusals += 1;
    if (hold.item.dropped) this.judge(lane, hold);
    else this.#wait(lane, hold, backoff(hold.refusals, error));
    idle();
  }
}

/** It waits for its next try, may be given away, and has not been. */
const isIdle = (hold: Hold<unknown>): boolean => hold.state === 'waiting' && hold.refusals === 0 && !hold.unclaimed;

/** A hook that is due in a pause is asked this much later. Milliseconds. */
const pausedMs = 50;

const nothing = (): void => {};

/** What a log line says of a delivery. */
export function fieldsOf({ delivery }: Item<unknown>, error: unknown): LogFields {
  const { topic, message, attempt } = delivery;
  const correlationId = message.headers[headerNames.correlationId] ?? message.id;
  return { topic, messageId: message.id, correlationId, attempt, error };
}
