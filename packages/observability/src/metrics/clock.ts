const settled = Promise.resolve();
let shared: number | undefined;
const forget = (): void => {
  shared = undefined;
};

/**
 * Milliseconds as `performance.now()` has them, read once for all reactions to promises that were settled by then: a reading costs more
 * than the rest of what is counted of a message, and what is confirmed together is confirmed at one time. So it is for the ends of things,
 * and for the beginning of what nobody computes in.
 */
export function sharedNow(): number {
  if (shared !== undefined) return shared;
  shared = performance.now();
  void settled.then(forget);
  return shared;
}

/** How long an offset between two clocks is taken for right. Milliseconds. */
const trustMs = 1_000;
/** What the two clocks of one machine may differ by when both are read. Milliseconds. */
const toleranceMs = 50;

/** Tells the time of a subscription from a reading of `performance.now()` at hand, which costs nothing. */
export class Epoch {
  readonly #now: () => number;
  #offset: number | undefined;
  #until = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Epoch milliseconds at `reading`, which is of this moment. */
  at(reading: number): number {
    if (reading > this.#until) this.#calibrate(reading);
    return this.#offset === undefined ? this.#now() : this.#offset + reading;
  }

  #calibrate(reading: number): void {
    const now = this.#now();
    this.#until = reading + trustMs;
    // Another clock than the machine's may go as it likes, as those of tests do.
    this.#offset = Math.abs(now - Date.now()) > toleranceMs ? undefined : now - reading;
  }
}
