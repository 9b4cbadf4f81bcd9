import type { Delivery } from '../message.ts';

/** How long to wait before try `failures + 1`, in milliseconds; `failures` counts from 1. In lanes with what failed. */
export type Backoff = (failures: number, error?: unknown, delivery?: Delivery) => number;

/** Options of {@link fullJitter}. */
export interface FullJitterOptions {
  /** Upper end of the first wait. Milliseconds. @default 50 */
  readonly baseMs?: number;
  /** Upper end of every wait. Milliseconds. @default 5_000 */
  readonly capMs?: number;
  /** From 0 up to, not including, 1. @default Math.random */
  readonly random?: () => number;
}

/**
 * Exponential backoff with full jitter: anything between 1 ms and `min(capMs, baseMs * 2^(failures - 1))`, so that what failed together
 * does not come back together. Source of the rule: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function fullJitter(options: FullJitterOptions = {}): Backoff {
  const { baseMs = 50, capMs = 5_000, random = Math.random } = options;
  return (failures) => Math.max(1, random() * Math.min(capMs, baseMs * 2 ** (failures - 1)));
}
