import { BentoError, isPromise, type MaybePromise } from '@bento-bus/core';
import type { Clock } from '@bento-bus/core/adapter';
import { followAbort } from './abort-followers.ts';

/** How long something may take. */
export interface TimeLimit {
  /** Milliseconds. */
  readonly ms: number;
  readonly clock: Pick<Clock, 'schedule'>;
  /** What it is, for the error's text. */
  readonly what: string;
}

/**
 * What `work` comes to, or a retryable `TIMEOUT` once `ms` have passed; then its signal aborts too, with that error. It also aborts
 * when `signal` does. What `work` does after its time is ignored, a rejection too. `AbortSignal.any` would cost several times as much.
 */
export function withinLimit<T>(
  { ms, clock, what }: TimeLimit,
  signal: AbortSignal,
  work: (signal: AbortSignal) => MaybePromise<T>,
): MaybePromise<T> {
  const controller = new AbortController();
  const leave = followAbort(signal, (reason) => controller.abort(reason));
  let result: MaybePromise<T>;
  try {
    result = work(controller.signal);
  } catch (error) {
    leave();
    throw error;
  }
  if (!isPromise(result)) {
    leave();
    return result;
  }
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.schedule(() => {
      leave();
      const text = `dispatcher: ${what} took longer than ${ms} ms. Raise its timeoutMs, or see what it waits for.`;
      const error = new BentoError('TIMEOUT', text, true);
      // First, so that what the abort makes of the work does not count.
      reject(error);
      controller.abort(error);
    }, ms);
    const ending =
      <V>(settle: (value: V) => void) =>
      (value: V): void => {
        cancel();
        leave();
        settle(value);
      };
    result.then(ending(resolve), ending(reject));
  });
}

const longestTimer = 2 ** 31 - 1;

/** What is wrong with a time limit, as a clause; undefined: nothing. */
export const faultOfLimit = (name: string, ms: number | undefined): string | undefined =>
  ms === undefined || (Number.isFinite(ms) && ms >= 1 && ms <= longestTimer)
    ? undefined
    : `${name} must be a number of milliseconds from 1 to ${longestTimer}, not ${String(ms)}`;
