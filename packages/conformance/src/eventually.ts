import { AssertionError } from 'node:assert/strict';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { isNativeError } from 'node:util/types';

/** Options of {@link eventually}. */
export interface EventuallyOptions {
  /** When to give up. Milliseconds. */
  readonly deadlineMs: number;
  /** Time between two checks. Milliseconds. @default 5 */
  readonly intervalMs?: number;
  /** What is waited for, for the error's text. @default 'the check' */
  readonly what?: string;
}

/**
 * Waits until `check` holds: returns anything but false and does not throw. Rejects with an `AssertionError` that tells what the last
 * check said when `deadlineMs` have passed. Checks at once, and at least twice.
 */
export async function eventually(check: () => unknown, options: EventuallyOptions): Promise<void> {
  const { deadlineMs, intervalMs = 5, what = 'the check' } = options;
  const end = performance.now() + deadlineMs;
  for (let tries = 1; ; tries += 1) {
    const late = tries > 1 && performance.now() >= end;
    const failure = await failureOf(check);
    if (failure === undefined) return;
    if (late) throw notInTime(what, deadlineMs, failure.error);
    // What is in process may need no more than a turn.
    await (tries < 10 ? setImmediate() : setTimeout(intervalMs));
  }
}

async function failureOf(check: () => unknown): Promise<{ readonly error: unknown } | undefined> {
  try {
    return (await check()) === false ? { error: undefined } : undefined;
  } catch (error) {
    return { error };
  }
}

/** The error of a wait that was in vain. */
export function notInTime(what: string, ms: number, cause?: unknown): AssertionError {
  const detail = cause === undefined ? '' : `: ${isNativeError(cause) ? cause.message : inspect(cause)}`;
  const error = new AssertionError({ message: `${what}: not within ${Math.round(ms)} ms${detail}` });
  if (cause !== undefined) error.cause = cause;
  return error;
}
