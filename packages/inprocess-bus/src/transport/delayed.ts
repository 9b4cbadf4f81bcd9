import { type Clock, createHeap } from '@bento-bus/core/adapter';
import type { Taken } from './taken.ts';

/** Messages that are not due yet. One timer, for what falls due first. */
export class Delayed {
  readonly #clock: Clock;
  readonly #whenDue: (taken: readonly Taken[]) => void;
  readonly #heap = createHeap<Taken>((a, b) => a.entry.due < b.entry.due);
  #timer: { readonly due: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, whenDue: (taken: readonly Taken[]) => void) {
    this.#clock = clock;
    this.#whenDue = whenDue;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** False: it is due already, and was not taken. */
  add(taken: Taken): boolean {
    if (taken.entry.due <= this.#clock.now()) return false;
    this.#heap.push(taken);
    this.#setTimer();
    return true;
  }

  /** Takes all out. */
  drain(): readonly Taken[] {
    this.close();
    return drained(this.#heap);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #setTimer(): void {
    const due = this.#heap.peek()?.entry.due;
    if (due === undefined || (this.#timer !== undefined && this.#timer.due <= due)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.schedule(() => {
      this.#timer = undefined;
      const now = this.#clock.now();
      const ready: Taken[] = [];
      for (let first = this.#heap.peek(); first !== undefined && first.entry.due <= now; first = this.#heap.peek()) {
        this.#heap.pop();
        ready.push(first);
      }
      this.#setTimer();
      this.#whenDue(ready);
    }, due - this.#clock.now());
    this.#timer = { due, cancel };
  }
}

/** Takes all out of a heap, in its order. */
export function drained<T>(heap: { pop(): T | undefined }): T[] {
  const all: T[] = [];
  for (let first = heap.pop(); first !== undefined; first = heap.pop()) all.push(first);
  return all;
}
