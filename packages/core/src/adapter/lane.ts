import type { Delivery } from '../message.ts';

/** One delivery on its way through its lane. */
export interface Item<T> {
  delivery: Delivery;
  readonly token: T;
  readonly lane: Lane<T>;
  next: Item<T> | undefined;
  settled: boolean;
  /** Discarded while it ran: not tried again. */
  dropped: boolean;
  /** It must not be started: at its turn the exhausted hook is asked. */
  readonly condemned: { readonly reason: unknown } | undefined;
}

/** A failing delivery at the front of its lane. */
export interface Hold<T> {
  readonly item: Item<T>;
  /** Epoch milliseconds of its first failure. */
  readonly since: number;
  failures: number;
  error: unknown;
  /** `waiting` for its next try, `due` for a slot, `running` (or about to be judged), or `taking`: with the exhausted hook. */
  state: 'waiting' | 'due' | 'running' | 'taking';
  /** Ends the wait. */
  cancel: () => void;
  /** How often the hook has refused it; from then on only the hook is tried. */
  refusals: number;
  /** There is no hook for it. */
  unclaimed: boolean;
}

/** The deliveries of one key, in order; an intrusive list, since most lanes live for one message. */
export class Lane<T> {
  readonly key: string;
  head: Item<T> | undefined = undefined;
  tail: Item<T> | undefined = undefined;
  /** Length of the list: what waits behind what has started. */
  waiting = 0;
  /** Its front has been started or is held: nothing else of it may start. */
  busy = false;
  /** In the batch being finished, an earlier item did not succeed. */
  blocked = false;
  hold: Hold<T> | undefined = undefined;
  /** When it could have started. Epoch milliseconds; kept for batches only. */
  readyAt = 0;
  next: Lane<T> | undefined = undefined;

  constructor(key: string) {
    this.key = key;
  }

  push(item: Item<T>): void {
    if (this.tail === undefined) this.head = item;
    else this.tail.next = item;
    this.tail = item;
    this.waiting += 1;
  }

  unshift(item: Item<T>): void {
    item.next = this.head;
    this.head = item;
    this.tail ??= item;
    this.waiting += 1;
  }

  shift(): Item<T> | undefined {
    const item = this.head;
    if (item === undefined) return undefined;
    this.head = item.next;
    if (this.head === undefined) this.tail = undefined;
    item.next = undefined;
    this.waiting -= 1;
    return item;
  }

  /** Takes out what `drop` names and returns it, in order. */
  remove(drop: (item: Item<T>) => boolean): Item<T>[] {
    const removed: Item<T>[] = [];
    for (let count = this.waiting; count > 0; count -= 1) {
      const item = this.shift() as Item<T>;
      if (drop(item)) removed.push(item);
      else this.push(item);
    }
    return removed;
  }
}

/** Lanes in a row, first come first served. */
export class LaneQueue<T> {
  head: Lane<T> | undefined = undefined;
  #tail: Lane<T> | undefined = undefined;

  push(lane: Lane<T>): void {
    lane.next = undefined;
    if (this.#tail === undefined) this.head = lane;
    else this.#tail.next = lane;
    this.#tail = lane;
  }

  shift(): Lane<T> | undefined {
    const lane = this.head;
    if (lane === undefined) return undefined;
    this.head = lane.next;
    if (this.head === undefined) this.#tail = undefined;
    lane.next = undefined;
    return lane;
  }

  /** Leaves only what `keep` names, in order. */
  keep(keep: (lane: Lane<T>) => boolean): void {
    const lanes: Lane<T>[] = [];
    for (let lane = this.shift(); lane !== undefined; lane = this.shift()) if (keep(lane)) lanes.push(lane);
    for (const lane of lanes) this.push(lane);
  }
}
