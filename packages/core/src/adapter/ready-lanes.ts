import type { Clock } from './clock.ts';
import { type Hold, type Item, type Lane, LaneQueue } from './lane.ts';

/** Which lanes may start, and what starts next. */
export class ReadyLanes<T> {
  /** Lanes whose first delivery may start. */
  readonly #fresh = new LaneQueue<T>();
  /** How many deliveries the fresh lanes have together. */
  #startable = 0;
  /** Lanes whose held delivery is to be tried again. */
  readonly #due = new LaneQueue<T>();
  #dueLast = false;
  readonly #size: number;
  readonly #waitMs: number;
  readonly #clock: Clock;
  readonly #pump: () => void;
  #cancelWait: (() => void) | undefined;

  /** `pump` is called when a batch that is not full has waited long enough. */
  constructor(size: number, waitMs: number, clock: Clock, pump: () => void) {
    this.#size = size;
    this.#waitMs = waitMs;
    this.#clock = clock;
    this.#pump = pump;
  }

  /** The lane may start. */
  add(lane: Lane<T>): void {
    lane.busy = false;
    if (this.#size > 1) lane.readyAt = this.#clock.now();
    this.#startable += lane.waiting;
    this.#fresh.push(lane);
  }

  /** One more delivery came to a lane that is here. */
  grown(): void {
    this.#startable += 1;
  }

  /** The lane's held delivery is to be tried again. */
  addDue(lane: Lane<T>): void {
    this.#due.push(lane);
  }

  /** What starts next; undefined: nothing yet. A delivery that is tried again comes alone, so that it cannot fail others twice. */
  next(): readonly Item<T>[] | undefined {
    const fresh = this.#freshMayStart();
    // Retries and fresh work take turns: neither starves the other.
    if (this.#due.head !== undefined && !(fresh && this.#dueLast)) {
      this.#dueLast = true;
      const hold = (this.#due.shift() as Lane<T>).hold as Hold<T>;
      hold.state = 'running';
      hold.item.delivery = { ...hold.item.delivery, attempt: hold.item.delivery.attempt + 1 };
      return [hold.item];
    }
    this.#dueLast = false;
    return fresh ? this.#gather() : undefined;
  }

  /** Forgets lanes whose held delivery was dropped; before anything else is done with them. */
  pruneDue(): void {
    this.#due.keep((lane) => lane.hold?.item.dropped === false);
  }

  /** Forgets lanes without deliveries, and `removed` deliveries of lanes that are here. */
  pruneFresh(removed: number): void {
    this.#startable -= removed;
    this.#fresh.keep((lane) => lane.waiting > 0);
  }

  stop(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  #freshMayStart(): boolean {
    if (this.#startable >= this.#size) return true;
    const oldest = this.#fresh.head;
    if (oldest === undefined) return false;
    const left = oldest.readyAt + this.#waitMs - this.#clock.now();
    if (left <= 0) return true;
    // A timer that is set already fires no later: lanes stand in the order in which they became ready.
    this.#cancelWait ??= this.#clock.schedule(() => {
      this.#cancelWait = undefined;
      this.#pump();
    }, left);
    return false;
  }

  /** Lane by lane, so that a busy key fills no second batch before the others had their turn. */
  #gather(): readonly Item<T>[] {
    const batch: Item<T>[] = [];
    while (batch.length < this.#size) {
      const lane = this.#fresh.shift();
      if (lane === undefined) break;
      lane.busy = true;
      this.#startable -= lane.waiting;
      do batch.push(lane.shift() as Item<T>);
      while (lane.head !== undefined && lane.head.condemned === undefined && batch.length < this.#size);
    }
    return batch;
  }
}
