import type { Closeable } from '../message.ts';
import { type Clock, systemClock } from './clock.ts';

/**
 * An idempotent close: `fn` runs at the first call, every call gets the same promise, and `await using` works.
 * Spread it into what is returned: `{ publish, ...closeOnce(async () => { … }) }`.
 */
export function closeOnce(fn: () => void | Promise<void>): Closeable {
  let closing: Promise<void> | undefined;
  // The async arrow turns a synchronous throw into a rejection.
  const close = (): Promise<void> => (closing ??= (async () => fn())());
  return { close, [Symbol.asyncDispose]: close };
}

/**
 * The outcome of `work`, or of `late` when `work` takes longer than `ms` milliseconds; `late` may throw. What `work` does afterwards
 * is ignored, a rejection too.
 */
export function withDeadline<T, L>(
  work: Promise<T>,
  ms: number,
  late: () => L | Promise<L>,
  clock: Clock = systemClock,
): Promise<T | L> {
  return new Promise<T | L>((resolve, reject) => {
    const cancel = clock.schedule(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, ms);
    work.finally(cancel).then(resolve, reject);
  });
}

/** Runs all of `fns` one after the other, the last first, whatever some of them do; then rejects with the one error, or with an `AggregateError` of several. */
export async function closeAll(fns: readonly (() => void | Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const fn of fns.toReversed()) {
    try {
      await fn();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} of ${fns.length} could not be closed`);
}

/** Closes all of them at once, so that the longest drain counts and not their sum; then rejects as {@link closeAll} does. */
export async function closeTogether(all: Iterable<Pick<Closeable, 'close'>>): Promise<void> {
  const outcomes = await Promise.allSettled(Array.from(all, (one) => one.close()));
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} of ${outcomes.length} could not be closed`);
}
