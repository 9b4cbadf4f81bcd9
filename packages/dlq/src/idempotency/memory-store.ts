import { BentoError, configurationError, type IdempotencyStore } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { keyOf } from './key.ts';

/** Options of {@link createMemoryIdempotencyStore}. */
export interface MemoryIdempotencyOptions {
  /** Ids kept, of all scopes together; what was marked longest ago is forgotten first. About 200 bytes each. @default 100_000 */
  readonly maxIds?: number;
  /** How long an id is remembered after it was marked last. Milliseconds. @default 86_400_000, a day */
  readonly ttlMs?: number;
  /** Epoch milliseconds. @default Date.now */
  readonly now?: () => number;
}

/**
 * An idempotency store in the memory of this process, bounded by count and time: it drops the copies that come while the process lives
 * (redeliveries, redrives, publishes made twice). What must hold across restarts and between processes needs a store that outlives them,
 * as `createClickHouseIdempotencyStore`. Throws a `CONFIGURATION` error that names every fault.
 */
export function createMemoryIdempotencyStore(options: MemoryIdempotencyOptions = {}): IdempotencyStore {
  const { maxIds = 100_000, ttlMs = 86_400_000, now = Date.now } = options;
  const faults: string[] = [];
  if (!Number.isSafeInteger(maxIds) || maxIds < 1)
    faults.push(`maxIds must be a whole number from 1, not ${String(maxIds)}`);
  if (!Number.isFinite(ttlMs) || ttlMs <= 0)
    faults.push(`ttlMs must be a number of milliseconds above 0, not ${String(ttlMs)}`);
  if (typeof now !== 'function') faults.push('now must be a function that gives epoch milliseconds');
  if (faults.length > 0) throw configurationError('dlq: cannot create the idempotency store', faults);

  /** When each was marked, in this order. */
  const marked = new Map<string, number>();
  let closed = false;

  const check = (doing: string): void => {
    if (closed)
      throw new BentoError('CLOSED', `dlq: cannot ${doing}: the idempotency store is closed. Create another.`);
  };
  const forget = (at: number): void => {
    for (const [key, time] of marked) {
      if (marked.size <= maxIds && time + ttlMs > at) return;
      marked.delete(key);
    }
  };

  return {
    async handled(scope, ids) {
      check('look for handled messages');
      const at = now();
      return new Set(ids.filter((id) => (marked.get(keyOf(scope, id)) ?? Number.NEGATIVE_INFINITY) + ttlMs > at));
    },
    async mark(scope, ids) {
      check('mark messages as handled');
      const at = now();
      for (const id of ids) {
        const key = keyOf(scope, id);
        // Last in the order again.
        marked.delete(key);
        marked.set(key, at);
      }
      forget(at);
    },
    ...closeOnce(() => {
      closed = true;
      marked.clear();
    }),
  };
}
