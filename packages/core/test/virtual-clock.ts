import type { Clock } from '../src/adapter/index.ts';

/** Time that moves when the test says so. inprocess-bus ships the public one. */
export class VirtualClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Map<number, { readonly at: number; readonly fn: () => void }>();
  #id = 0;

  now(): number {
    return this.#now;
  }

  schedule(fn: () => void, ms: number): () => void {
    const id = (this.#id += 1);
    this.#timers.set(id, { at: this.#now + ms, fn });
    return () => this.#timers.delete(id);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets everything run that waits for no timer. */
  async settle(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** Runs the next timer; false when there is none up to `limit`. */
  async next(limit = Number.POSITIVE_INFINITY): Promise<boolean> {
    await this.settle();
    let first: readonly [number, { readonly at: number; readonly fn: () => void }] | undefined;
    for (const entry of this.#timers) if (first === undefined || entry[1].at < first[1].at) first = entry;
    if (first === undefined || first[1].at > limit) return false;
    this.#timers.delete(first[0]);
    this.#now = Math.max(this.#now, first[1].at);
    first[1].fn();
    await this.settle();
    return true;
  }

  /** Moves time on, running what falls due in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (await this.next(end));
    this.#now = end;
    await this.settle();
  }
}
