import { BentoError } from '../errors.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { Delivery } from '../message.ts';
import type { Outcome } from '../transport.ts';
import { fullJitter } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { Gate } from './gate.ts';
import { fieldsOf, Holds } from './holds.ts';
import { largestInFlight } from './in-flight.ts';
import { type Item, Lane } from './lane.ts';
import { laneKey } from './lane-key.ts';
import type { Lanes, LanesOptions } from './lanes.ts';
import { allFailed, checkedOutcomes, notHandled } from './outcomes.ts';
import { ReadyLanes } from './ready-lanes.ts';

/**
 * Implements {@link Lanes}: starts what {@link ReadyLanes} offers, judges outcomes, leaves to {@link Holds} what failed. In one file, since
 * every step of a delivery changes the same state.
 */
export class Scheduler<T> implements Lanes<T> {
  inFlight = 0;
  running = 0;
  readonly #options: LanesOptions<T>;
  readonly #maxInFlight: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #controller = new AbortController();
  readonly #lanes = new Map<string, Lane<T>>();
  readonly #ready: ReadyLanes<T>;
  readonly #gate = new Gate();
  readonly #started = new Set<readonly Item<T>[]>();
  readonly #holds: Holds<T>;
  /** Their acknowledgement failed. */
  readonly #lost: Item<T>[] = [];
  #woken = false;
  #stopped = false;
  #paused = false;
  readonly #idle = new Gate();
  /** Past the drain: results are ignored. */
  #over = false;
  #drained: Promise<readonly T[]> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: LanesOptions<T>) {
    this.#options = options;
    this.#maxInFlight = options.maxInFlight ?? largestInFlight(options);
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#ready = new ReadyLanes(options.size, options.waitMs, this.#clock, () => this.#pump());
    this.#holds = new Holds({
      options,
      clock: this.#clock,
      backoff: options.backoff ?? fullJitter(),
      logger: this.#logger,
      gate: this.#gate,
      retry: (lane) => {
        this.#ready.addDue(lane);
        this.#pump();
      },
      settle: (item) => this.#settle(item),
      forget: (item) => this.#forget(item),
      release: (lane) => this.#releaseLane(lane),
      idle: () => {
        this.#pump();
        this.#checkIdle();
      },
    });
  }

  push(delivery: Delivery, token: T, condemned?: unknown): boolean {
    if (this.#stopped) return false;
    const key = this.#keyOf(delivery);
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = new Lane(key)));
    const mark = condemned === undefined ? undefined : { reason: condemned };
    lane.push({ delivery, token, lane, next: undefined, settled: false, dropped: false, condemned: mark });
    this.inFlight += 1;
    if (lane.busy) {
      if (lane.hold !== undefined) this.#holds.grown(lane, lane.hold);
      return true;
    }
    if (lane.waiting > 1) this.#ready.grown();
    else this.#next(lane);
    this.#wake();
    return true;
  }

  room(next?: Delivery): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    if (this.inFlight < this.#maxInFlight) {
      if (!this.#holds.isAtLimit()) return undefined;
      const lane = next && this.#lanes.get(this.#keyOf(next));
      if (next !== undefined && (lane === undefined || !this.#holds.isAtLimit(lane))) return undefined;
    }
    return this.#gate.wait();
  }

  stateOf(delivery: Delivery): { readonly heldMs: number; readonly backlog: number } {
    const lane = this.#lanes.get(this.#keyOf(delivery));
    if (lane === undefined) return { heldMs: 0, backlog: 0 };
    return { heldMs: lane.hold === undefined ? 0 : this.#clock.now() - lane.hold.since, backlog: lane.waiting };
  }

  *held(): Iterable<{ readonly delivery: Delivery; readonly token: T }> {
    for (const { hold } of this.#lanes.values())
      if (hold !== undefined && hold.item.condemned === undefined) yield hold.item;
  }

  pause(): void {
    this.#paused = true;
    this.#holds.paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#holds.paused = false;
    this.#pump();
  }

  async idle(): Promise<void> {
    while (this.running + this.#holds.taking > 0 && !this.#over) await this.#idle.wait();
  }

  discard(drop: (delivery: Delivery, token: T) => boolean): readonly T[] {
    const tokens: T[] = [];
    let pruned = 0;
    const named = (item: Item<T>): boolean => drop(item.delivery, item.token);
    for (const batch of this.#started) for (const item of batch) item.dropped ||= named(item);
    for (const { hold } of this.#lanes.values()) if (hold !== undefined) hold.item.dropped ||= named(hold.item);
    this.#ready.pruneDue();
    for (const lane of this.#lanes.values()) {
      const { hold } = lane;
      const removed = lane.remove(named);
      if (!lane.busy) pruned += removed.length;
      if (hold?.item.dropped === true && (hold.state === 'waiting' || hold.state === 'due')) {
        hold.cancel();
        removed.unshift(hold.item);
        this.#holds.end(lane);
        this.#releaseLane(lane);
      }
      for (const item of removed) {
        tokens.push(item.token);
        this.#forget(item);
      }
      if (lane.hold !== undefined) this.#holds.check(lane);
      else if (!lane.busy && lane.waiting === 0) this.#lanes.delete(lane.key);
    }
    this.#ready.pruneFresh(pruned);
    this.#wake();
    return tokens;
  }

  drain(deadlineMs: number): Promise<readonly T[]> {
    this.#drained ??= new Promise((resolve) => {
      this.#stop();
      const end = (): void => {
        this.#over = true;
        this.#idle.open();
        this.#holds.abandon();
        this.#onIdle = undefined;
        resolve(this.#unsettled());
      };
      if (this.running + this.#holds.taking === 0) {
        end();
        return;
      }
      const cancel = this.#clock.schedule(() => {
        end();
        const cause = `core: cannot finish the message: the drain took longer than ${deadlineMs} ms.`;
        this.#controller.abort(new BentoError('ABORTED', `${cause} It will be delivered again.`, true));
      }, deadlineMs);
      this.#onIdle = () => {
        cancel();
        end();
      };
    });
    return this.#drained;
  }

  // ---- starting ---------------------------------------------------------------------------------------------------------------------

  #keyOf(delivery: Delivery): string {
    return laneKey(delivery, this.#options.ordering);
  }

  /** Starts what may start once the caller has returned; many pushes share one call. */
  #wake(): void {
    if (this.#woken || this.#stopped || this.#paused || this.running >= this.#options.concurrency) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.running < this.#options.concurrency && !this.#stopped && !this.#paused) {
      const batch = this.#ready.next();
      if (batch === undefined) return;
      this.#start(batch);
    }
  }

  #start(batch: readonly Item<T>[]): void {
    this.running += 1;
    this.#started.add(batch);
    const deliveries = batch.map((item) => item.delivery);
    let outcomes: Promise<readonly Outcome[]>;
    try {
      outcomes = Promise.resolve(this.#options.handler(deliveries, this.#controller.signal));
    } catch (error) {
      outcomes = Promise.resolve(allFailed(batch, error));
    }
    outcomes.then(
      (given) => this.#finish(batch, checkedOutcomes(given, deliveries)),
      (error: unknown) => this.#finish(batch, allFailed(batch, error)),
    );
  }

  // ---- finishing --------------------------------------------------------------------------------------------------------------------

  #finish(batch: readonly Item<T>[], outcomes: readonly Outcome[]): void {
    if (this.#over) return;
    let settling: Promise<void>[] | undefined;
    let back: Item<T>[] | undefined;
    let previous: Lane<T> | undefined;
    for (let index = 0; index < batch.length; index += 1) {
      const item = batch[index] as Item<T>;
      const outcome = outcomes[index] as Outcome;
      const { lane } = item;
      if (lane.blocked || (outcome === notHandled && lane === previous)) {
        lane.blocked = true;
        (back ??= []).push(item);
      } else if (outcome.ok) {
        this.#holds.end(lane);
        const settled = this.#settle(item);
        if (settled !== undefined) (settling ??= []).push(settled);
      } else {
        lane.blocked = true;
        this.#holds.fail(item, outcome.error);
      }
      previous = lane;
    }
    if (back !== undefined) this.#putBack(back);
    if (settling === undefined) this.#release(batch);
    // These never reject: #settle reports its faults.
    else void Promise.all(settling).then(() => this.#release(batch));
  }

  #settle(item: Item<T>): Promise<void> | undefined {
    try {
      const settling = this.#options.settle(item.token, item.delivery);
      if (settling === undefined) {
        this.#forget(item);
        return undefined;
      }
      return settling.then(
        () => this.#forget(item),
        (error: unknown) => this.#fault(item, error),
      );
    } catch (error) {
      this.#fault(item, error);
      return undefined;
    }
  }

  /** It is settled or discarded: no longer ours. */
  #forget(item: Item<T>): void {
    item.settled = true;
    this.inFlight -= 1;
    this.#gate.open();
  }

  #fault(item: Item<T>, error: unknown): void {
    this.#lost.push(item);
    if (this.#over || this.#lost.length > 1) return;
    this.#stop();
    this.#logger.error('acknowledging failed; the subscription ends', fieldsOf(item, error));
    this.#options.onFault(error);
  }

  /** Back to the front of their lanes, in order: they did not get their turn. */
  #putBack(items: readonly Item<T>[]): void {
    for (const item of items.toReversed()) {
      if (item.dropped) this.#forget(item);
      else item.lane.unshift(item);
    }
  }

  #release(batch: readonly Item<T>[]): void {
    if (this.#over) return;
    this.#started.delete(batch);
    this.running -= 1;
    let previous: Lane<T> | undefined;
    for (const { lane } of batch) {
      // Items of one lane stand together in their batch.
      if (lane !== previous) this.#releaseLane(lane);
      previous = lane;
    }
    this.#pump();
    this.#checkIdle();
  }

  #releaseLane(lane: Lane<T>): void {
    lane.blocked = false;
    if (lane.hold !== undefined) this.#holds.judge(lane, lane.hold);
    else if (lane.waiting > 0) this.#next(lane);
    else this.#lanes.delete(lane.key);
  }

  /** The lane's front may start, or be given away. */
  #next(lane: Lane<T>): void {
    const { condemned } = lane.head as Item<T>;
    if (condemned === undefined) {
      this.#ready.add(lane);
      return;
    }
    lane.busy = true;
    this.#holds.condemn(lane.shift() as Item<T>, condemned.reason);
  }

  // ---- ending -----------------------------------------------------------------------------------------------------------------------

  #stop(): void {
    this.#stopped = true;
    this.#ready.stop();
    this.#holds.stop(this.#lanes.values());
    this.#gate.open();
  }

  #checkIdle(): void {
    if (this.running + this.#holds.taking > 0) return;
    this.#idle.open();
    this.#onIdle?.();
  }

  #unsettled(): readonly T[] {
    const items = new Set<Item<T>>(this.#lost);
    for (const batch of this.#started) for (const item of batch) items.add(item);
    for (const lane of this.#lanes.values()) {
      if (lane.hold !== undefined) items.add(lane.hold.item);
      for (let item = lane.head; item !== undefined; item = item.next) items.add(item);
    }
    return [...items].filter((item) => !item.settled).map((item) => item.token);
  }
}
