/** A place in one ordered source: an offset, or an opaque string whose order is the log's. All of one watermark have one type. */
export type OrderedPosition = number | bigint | string;

/** What is done of a source: all up to `low`, and above it the runs `[first, last]`, ascending, with nothing unfinished inside. */
export interface Progress<P extends OrderedPosition> {
  readonly low: P;
  readonly done: readonly (readonly [first: P, last: P])[];
}

/** The handle of an unfinished position; give it to {@link Watermark.done}. */
export interface Unfinished<P extends OrderedPosition> {
  readonly position: P;
}

/**
 * Follows what of a source is done when handling is not in order. Memory and {@link Watermark.progress} grow with what is unfinished,
 * not with what is done; each call takes constant time. Positions need not be dense: what never was added counts as done.
 */
export interface Watermark<P extends OrderedPosition> {
  /** Every position added at or before it is done; at first the start. */
  readonly low: P;
  /** Added and not yet done. */
  readonly unfinished: number;
  /** Runs of done positions above `low`. */
  readonly runs: number;
  /** A position that is not above the last one added, or is done by the progress it began with, is known already: undefined, do not handle it. */
  add(position: P): Unfinished<P> | undefined;
  /** True when `low` has moved. A second call does nothing. */
  done(handle: Unfinished<P>): boolean;
  /** To be stored; `createWatermark` goes on from it. */
  progress(): Progress<P>;
}

/** Follows a source after `from`: the position before the first one to come, or the progress of an earlier watermark. */
export function createWatermark(from: number | Progress<number>): Watermark<number>;
export function createWatermark(from: bigint | Progress<bigint>): Watermark<bigint>;
export function createWatermark(from: string | Progress<string>): Watermark<string>;
export function createWatermark<P extends OrderedPosition>(from: P | Progress<P>): Watermark<P> {
  return new RunList(typeof from === 'object' ? from : { low: from, done: [] });
}

/** An unfinished position, or a run of done ones; neighbours in the source's order. */
interface Node<P extends OrderedPosition> {
  readonly position: P;
  /** Last position of a run; undefined while unfinished. */
  last: P | undefined;
  previous: Node<P> | undefined;
  next: Node<P> | undefined;
}

/** A doubly linked list of what is above the low watermark. No two runs are neighbours, and the first node is never a run. */
class RunList<P extends OrderedPosition> implements Watermark<P> {
  low: P;
  unfinished = 0;
  #runs = 0;
  #head: Node<P> | undefined;
  #tail: Node<P> | undefined;
  /** Up to here everything is known. */
  #known: P;
  /** Runs of the progress it began with; those before `#passed` are in the list. */
  readonly #given: readonly (readonly [P, P])[];
  #passed = 0;

  constructor(from: Progress<P>) {
    this.low = from.low;
    this.#known = from.low;
    this.#given = from.done;
  }

  get runs(): number {
    return this.#runs + this.#given.length - this.#passed;
  }

  add(position: P): Unfinished<P> | undefined {
    if (position <= this.#known) return undefined;
    const node: Node<P> = { position, last: undefined, previous: this.#tail, next: undefined };
    if (this.#tail === undefined) this.#head = node;
    else this.#tail.next = node;
    this.#tail = node;
    this.unfinished += 1;
    const last = this.#givenLast(position);
    this.#known = last ?? position;
    if (last === undefined) return node;
    this.#close(node, last);
    return undefined;
  }

  done(handle: Unfinished<P>): boolean {
    const node = handle as Node<P>;
    return node.last === undefined && this.#close(node, node.position);
  }

  progress(): Progress<P> {
    const done: (readonly [P, P])[] = [];
    for (let node = this.#head; node !== undefined; node = node.next) {
      if (node.last !== undefined) done.push([node.position, node.last]);
    }
    return { low: this.low, done: [...done, ...this.#given.slice(this.#passed)] };
  }

  /** The end of the run that has the position, in the progress it began with. */
  #givenLast(position: P): P | undefined {
    for (; this.#passed < this.#given.length; this.#passed += 1) {
      const [first, last] = this.#given[this.#passed] as readonly [P, P];
      if (position < first) return undefined;
      if (position > last) continue;
      this.#passed += 1;
      return last;
    }
    return undefined;
  }

  /** The node becomes a run, grows together with its neighbours, and moves the watermark if it is the first. */
  #close(node: Node<P>, last: P): boolean {
    node.last = last;
    this.unfinished -= 1;
    this.#runs += 1;
    let run = node;
    if (run.next?.last !== undefined) this.#absorb(run, run.next);
    if (run.previous?.last !== undefined) {
      run = run.previous;
      this.#absorb(run, node);
    }
    if (run.previous !== undefined) return false;
    this.low = run.last as P;
    this.#head = run.next;
    if (run.next === undefined) this.#tail = undefined;
    else run.next.previous = undefined;
    this.#runs -= 1;
    return true;
  }

  #absorb(run: Node<P>, next: Node<P>): void {
    run.last = next.last;
    run.next = next.next;
    if (next.next === undefined) this.#tail = run;
    else next.next.previous = run;
    this.#runs -= 1;
  }
}
