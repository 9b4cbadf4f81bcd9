import { setImmediate } from 'node:timers/promises';
import { BentoError } from '@bento-bus/core';
import { type Clock, createHeap } from '@bento-bus/core/adapter';

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Timers that wait. */
  readonly pending: number;
  /**
   * Moves time by `ms`, running what falls due in order of time (of equal times, in order of scheduling) at exactly its time,
   * timers made on the way included. Promises settle before, between and after; real input and output is not waited for.
   */
  advance(ms: number): Promise<void>;
  /** Runs timers in order, moving time to each, until none waits. Throws `TIMEOUT` after 100,000: something schedules itself for ever. */
  runAll(): Promise<void>;
}

interface Timer {
  readonly due: number;
  readonly sequence: number;
  fn: (() => void) | undefined;
}

const mostRuns = 100_000;

/** An immediate comes after every promise that can settle without the outside world. */
const settle = (): Promise<void> => setImmediate();

/**
 * Makes a clock for tests: delays, holds and time-outs of what was given this clock happen only by `advance` and `runAll`.
 *
 * @param start - epoch milliseconds. Default: 2026-01-01T00:00:00Z
 */
export function createVirtualClock(start: number = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers = createHeap<Timer>((a, b) => a.due < b.due || (a.due === b.due && a.sequence < b.sequence));
  let now = start;
  let sequence = 0;
  let pending = 0;

  /** Runs the next timer that is due at `until` or before. */
  const runNext = (until: number): boolean => {
    for (let timer = timers.peek(); timer !== undefined && timer.due <= until; timer = timers.peek()) {
      timers.pop();
      const { fn } = timer;
      if (fn === undefined) continue;
      timer.fn = undefined;
      pending--;
      now = Math.max(now, timer.due);
      fn();
      return true;
    }
    return false;
  };

  return {
    now: () => now,
    schedule(fn, ms) {
      const timer: Timer = { due: now + Math.max(0, ms), sequence: sequence++, fn };
      timers.push(timer);
      pending++;
      return () => {
        if (timer.fn === undefined) return;
        timer.fn = undefined;
        pending--;
      };
    },
    get pending() {
      return pending;
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      while (runNext(until)) await settle();
      now = Math.max(now, until);
    },
    async runAll() {
      await settle();
      for (let runs = 0; runNext(Number.POSITIVE_INFINITY); runs++) {
        if (runs === mostRuns)
          throw new BentoError(
            'TIMEOUT',
            `inprocess-bus: cannot run "all timers": ${mostRuns} ran and ${pending} wait. Use advance(ms) for what schedules itself for ever.`,
          );
        await settle();
      }
    },
  };
}
