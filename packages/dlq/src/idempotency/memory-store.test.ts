import { describeIdempotencyStore } from '@bento-bus/conformance';
import { describe, expect, it } from '@jest/globals';
import { createMemoryIdempotencyStore } from './memory-store.ts';

describeIdempotencyStore(
  { describe, it },
  { name: 'the idempotency store in memory', createStore: async (wish) => createMemoryIdempotencyStore(wish) },
);

describe('the bounds of the idempotency store in memory', () => {
  it('forgets what was marked longest ago when there are too many', async () => {
    const store = createMemoryIdempotencyStore({ maxIds: 3 });
    await store.mark('a', ['1', '2', '3']);
    await store.mark('a', ['1']);
    await store.mark('b', ['1']);
    expect([...(await store.handled('a', ['1', '2', '3']))]).toEqual(['1', '3']);
    expect([...(await store.handled('b', ['1']))]).toEqual(['1']);
  });

  it('keeps no more than it may of one call', async () => {
    const store = createMemoryIdempotencyStore({ maxIds: 2 });
    await store.mark('a', ['1', '2', '3', '4']);
    expect([...(await store.handled('a', ['1', '2', '3', '4']))]).toEqual(['3', '4']);
  });

  it('names every fault of its options', () => {
    expect(() => createMemoryIdempotencyStore({ maxIds: 0, ttlMs: Number.NaN, now: 5 as never })).toThrow(
      /maxIds .* not 0; ttlMs .* not NaN; now must be/,
    );
  });
});
