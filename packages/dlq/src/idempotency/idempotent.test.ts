import { BentoError, compose, type IdempotencyStore, type SubscriptionContext, ValidationError } from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import { build, deliveryOf, messageOf, record } from '../../test/support.ts';
import { retry } from '../retry.ts';
import { idempotent } from './idempotent.ts';
import { createMemoryIdempotencyStore } from './memory-store.ts';

/** A store in memory that says what it is asked, and fails when told to. */
function watched(): { readonly store: IdempotencyStore; readonly asked: string[]; readonly faults: unknown[] } {
  const memory = createMemoryIdempotencyStore();
  const asked: string[] = [];
  const faults: unknown[] = [];
  const through = async <T>(what: string, answer: () => Promise<T>): Promise<T> => {
    asked.push(what);
    const fault = faults.shift();
    if (fault !== undefined) throw fault;
    return answer();
  };
  const store: IdempotencyStore = {
    handled: (scope, ids) => through(`handled ${scope}`, () => memory.handled(scope, ids)),
    mark: (scope, ids) => through(`mark ${scope}`, () => memory.mark(scope, ids)),
    close: () => memory.close(),
    [Symbol.asyncDispose]: () => memory.close(),
  };
  return { store, asked, faults };
}

const bad = new Error('bad');
const down = new BentoError('CONNECTION', 'the store is away.', true);

describe('idempotent', () => {
  it('asks first, marks what has succeeded, and drops copies on every topic of the group', async () => {
    const { store, asked } = watched();
    const policy = idempotent({ store });
    const seen: string[] = [];
    const handler = async (): Promise<void> => void seen.push(asked.join());
    await build(policy, handler, record())(deliveryOf());
    await build(policy, handler, record(), { topic: 'orders-mail-RETRY' })(deliveryOf({ position: 'p-9' }));
    expect(seen).toEqual(['handled mail']);
    expect(asked).toEqual(['handled mail', 'mark mail', 'handled mail']);
  });

  it('takes messages of two sources with one id for two', async () => {
    const { store } = watched();
    let calls = 0;
    const handle = build(idempotent({ store }), async () => void (calls += 1), record());
    for (const source of ['/a', '/b', '/a']) await handle(deliveryOf({ message: messageOf({ source }) }));
    expect(calls).toBe(2);
  });

  it('marks nothing that has failed', async () => {
    const { store, asked } = watched();
    let calls = 0;
    const handle = build(
      idempotent({ store }),
      async () => {
        calls += 1;
        if (calls < 3) throw bad;
      },
      record(),
    );
    await expect(handle(deliveryOf())).rejects.toBe(bad);
    await expect(handle(deliveryOf())).rejects.toBe(bad);
    await handle(deliveryOf());
    await handle(deliveryOf());
    expect(calls).toBe(3);
    expect(asked.filter((what) => what === 'mark mail')).toHaveLength(1);
  });

  it('lets a copy wait for the one at work, and drops it when that succeeds', async () => {
    const { store } = watched();
    const gate = deferred();
    let calls = 0;
    const policy = idempotent({ store });
    const handler = async (): Promise<void> => {
      calls += 1;
      await gate.promise;
    };
    // Two subscriptions of the process over one store.
    const first = build(policy, handler, record())(deliveryOf());
    const second = build(idempotent({ store }), handler, record())(deliveryOf({ position: 'p-2' }));
    gate.resolve();
    await Promise.all([first, second]);
    expect(calls).toBe(1);
  });

  it('handles one copy at a time, until one has succeeded', async () => {
    const { store } = watched();
    let [calls, atWork, most] = [0, 0, 0];
    const handle = build(
      idempotent({ store }),
      async () => {
        calls += 1;
        atWork += 1;
        most = Math.max(most, atWork);
        const call = calls;
        await Promise.resolve();
        atWork -= 1;
        if (call < 3) throw bad;
      },
      record(),
    );
    const copies = Array.from({ length: 6 }, (_, index) => handle(deliveryOf({ position: `p-${index}` })));
    const outcomes = await Promise.allSettled(copies);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', ...Array(4).fill('fulfilled')]);
    expect([calls, most]).toEqual([3, 1]);
  });

  it('leaves a copy that waits while its subscription closes', async () => {
    const { store } = watched();
    const gate = deferred();
    const stop = new AbortController();
    const handle = build(
      idempotent({ store }),
      async () => {
        await gate.promise;
        throw bad;
      },
      record(),
    );
    const first = handle(deliveryOf());
    const second = handle(deliveryOf({ position: 'p-2' }), stop.signal);
    stop.abort();
    gate.resolve();
    await expect(first).rejects.toBe(bad);
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('keeps messages while the store is away, and only marks what was handled', async () => {
    const { store, faults, asked } = watched();
    let calls = 0;
    const recorded = record();
    const policy = idempotent({ store });
    const both = (next: Parameters<typeof policy>[0], subscription: SubscriptionContext) =>
      retry({ attempts: 1 })(policy(next, subscription), subscription);
    const handle = build(both, async () => void (calls += 1), recorded);
    faults.push(down);
    await expect(handle(deliveryOf())).rejects.toMatchObject({ code: 'ABORTED', cause: down });
    expect(calls).toBe(0);
    faults.push(undefined, down);
    await expect(handle(deliveryOf({ attempt: 2 }))).rejects.toMatchObject({ code: 'ABORTED', cause: down });
    await handle(deliveryOf({ attempt: 3 }));
    await handle(deliveryOf({ position: 'p-2' }));
    expect(calls).toBe(1);
    expect(asked).toEqual(['handled', 'handled', 'mark', 'mark', 'handled'].map((what) => `${what} mail`));
    // No dead letter for a store that was away.
    expect(recorded.published).toEqual([]);
  });

  it('fails for good what no store can hold', async () => {
    const { store, faults } = watched();
    const invalid = new ValidationError('no string', []);
    faults.push(invalid);
    await expect(build(idempotent({ store }), async () => {}, record())(deliveryOf())).rejects.toBe(invalid);
  });

  it('takes a scope and an id of the user', async () => {
    const { store, asked } = watched();
    let calls = 0;
    const policy = idempotent({
      store,
      scope: ({ group, origin }) => `${group}/${origin}`,
      id: ({ headers }) => headers['x-a'] ?? '',
    });
    const handle = build(policy, async () => void (calls += 1), record());
    await handle(deliveryOf());
    await handle(deliveryOf({ message: messageOf({ id: 'm-2' }) }));
    expect(calls).toBe(1);
    expect(new Set(asked)).toEqual(new Set(['handled mail/orders', 'mark mail/orders']));
  });

  it('names every fault of its options', () => {
    expect(() => idempotent({ store: {}, scope: '', id: 'x' } as never)).toThrow(
      /store must be .*; scope must be .*; id must be/,
    );
  });

  it('refuses to stand around retry', () => {
    const policy = compose([idempotent({ store: createMemoryIdempotencyStore() }), retry()]);
    expect(() => build(policy, async () => {}, record())).toThrow(/stands around retry/);
  });
});
