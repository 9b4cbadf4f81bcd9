/** Time for adapters, so that tests can hold it still. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `fn` once after `ms`; returns the function that cancels. */
  schedule(fn: () => void, ms: number): () => void;
}

/** Longest delay that `setTimeout` takes; it treats more as 1 ms. */
const longest = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule: (fn, ms) => {
    const timer = setTimeout(fn, Math.min(ms, longest));
    return () => clearTimeout(timer);
  },
};
