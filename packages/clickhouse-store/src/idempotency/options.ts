import { configurationError } from '@bento-bus/core';
import { checkStoreOptions, type StoreOptions } from '../options.ts';

/** Options of {@link createClickHouseIdempotencyStore}. */
export interface IdempotencyStoreOptions extends StoreOptions {
  /**
   * How long an id is remembered after it was marked last. A row carries the time of its end, so that stores with other times share the
   * table. Milliseconds, from 1,000 to a year. @default 86_400_000, a day
   */
  readonly ttlMs?: number;
  /** Epoch milliseconds; the server drops rows by its own clock. @default Date.now */
  readonly now?: () => number;
}

const longest = 366 * 86_400_000;

/** Throws one `CONFIGURATION` error that names every fault. */
export function checkIdempotencyOptions(options: IdempotencyStoreOptions): void {
  const doing = 'open the idempotency store';
  checkStoreOptions(doing, options);
  const { ttlMs = 1_000, now } = options;
  const faults: string[] = [];
  if (!Number.isFinite(ttlMs) || ttlMs < 1_000 || ttlMs > longest)
    faults.push(`ttlMs must be a number of milliseconds from 1000 to ${longest}, not ${String(ttlMs)}`);
  if (now !== undefined && typeof now !== 'function')
    faults.push('now must be a function that gives epoch milliseconds');
  if (faults.length > 0) throw configurationError(`clickhouse-store: cannot ${doing}`, faults);
}
