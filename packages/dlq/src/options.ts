import { configurationError } from '@bento-bus/core';
import { type Backoff, type FullJitterOptions, fullJitter, isRetryable } from '@bento-bus/core/adapter';
import type { ParkingStore } from './parking/store.ts';

/** Options of {@link retry}. */
export interface RetryOptions {
  /**
   * Tries in place, the first one among them: the message holds its lane between them, so that its key stays in order. The lane's limits
   * (`maxHoldMs`, `maxLaneBacklog`) end this step earlier. @default 3
   */
  readonly attempts?: number;
  /**
   * The wait between tries in place: exponential with full jitter, from `baseMs` up to `capMs`, or a function of the failures so far
   * (from 1) and the error. Milliseconds. @default { baseMs: 100, capMs: 2_000 }
   */
  readonly backoff?: FullJitterOptions | ((failures: number, error: unknown) => number);
  /**
   * Delayed retries: one more try after each of these waits, by the topic `<topic>-<group>-RETRY`, which only this group reads. The
   * message leaves its lane: without `sequence: 'key'` later messages of its key pass it. Milliseconds. @default none
   */
  readonly delays?: readonly number[];
  /** Whether another try may succeed. What may not goes on to the last step at once. @default false for errors with `retryable: false`, else true */
  readonly retryable?: (error: unknown) => boolean;
  /**
   * What the last step does with a message. `true`: it becomes a dead letter on `<topic>-<group>-DLQ`. `false`: nothing; it holds its
   * lane, at whose limits its partition stands still. Not looked at with `sequence: 'key'`. @default true
   */
  readonly deadLetter?: boolean;
  /**
   * `'key'`: a message that has used up its tries in place is parked in `parking`, and whatever comes after it under its key is parked
   * behind it until it is handled, by a delayed retry or a redrive; so the key stays in order and the others go on. @default 'none'
   */
  readonly sequence?: 'key' | 'none';
  /** Where messages are parked. Required with `sequence: 'key'`. */
  readonly parking?: ParkingStore;
}

/** Options with defaults, checked. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly delays: readonly number[];
  readonly retryable: (error: unknown) => boolean;
  readonly deadLetter: boolean;
  readonly parking: ParkingStore | undefined;
}

const longestDelay = 366 * 86_400_000;

/** Throws one `CONFIGURATION` error that names every fault. */
export function resolveRetryOptions(given: RetryOptions): RetryPolicy {
  const {
    attempts = 3,
    backoff = {},
    delays = [],
    retryable = isRetryable,
    deadLetter = true,
    sequence = 'none',
    parking,
  } = given;
  const faults: string[] = [];
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    faults.push(`attempts must be a whole number from 1, not ${String(attempts)}`);
  if (!Array.isArray(delays) || !delays.every((ms) => Number.isFinite(ms) && ms >= 0 && ms <= longestDelay))
    faults.push(`delays must be a list of milliseconds from 0 to ${longestDelay}, not ${JSON.stringify(delays)}`);
  if (typeof retryable !== 'function') faults.push('retryable must be a function of the error');
  if (typeof backoff !== 'function') faults.push(...backoffFaults(backoff));
  if (!['key', 'none'].includes(sequence))
    faults.push(`sequence must be 'key' or 'none', not ${JSON.stringify(sequence)}`);
  if (sequence === 'key' && parking === undefined)
    faults.push("sequence 'key' needs parking: pass createParkingStore({ store }) with an event store");
  if (sequence === 'none' && parking !== undefined) faults.push("parking is used with sequence 'key' only");
  if (faults.length > 0) throw configurationError('dlq: cannot create the retry policy', faults);
  return {
    attempts,
    backoff: typeof backoff === 'function' ? backoff : fullJitter({ baseMs: 100, capMs: 2_000, ...backoff }),
    delays,
    retryable,
    deadLetter,
    parking,
  };
}

function backoffFaults(backoff: unknown): string[] {
  if (typeof backoff !== 'object' || backoff === null) return ['backoff must be { baseMs, capMs } or a function'];
  return (['baseMs', 'capMs'] as const).flatMap((name) => {
    const value = (backoff as Record<string, unknown>)[name];
    const fine = value === undefined || (typeof value === 'number' && Number.isFinite(value) && value > 0);
    return fine ? [] : [`backoff.${name} must be milliseconds above 0, not ${JSON.stringify(value)}`];
  });
}
