import type { CheckpointStore, Delivery, Middleware, SubscribeOptions } from '@bento-bus/core';
import type { Clock } from '@bento-bus/core/adapter';
import { afterEach, describe, expect, it } from '@jest/globals';
import { at, items, killed } from '../../test/log-support.ts';
import { closeTransports, create, until } from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { createMemoryCheckpointStore } from './memory-checkpoint-store.ts';

afterEach(closeTransports);

/** What the dead still wait for must not keep the test alive. */
const forgotten: Clock = {
  now: () => Date.now(),
  schedule: (fn, ms) => {
    const timer = setTimeout(fn, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** A process that dies when the handler gets the poison: what it has stored by then is all that is left. */
class Life {
  readonly attempts: number[] = [];
  readonly handled: string[] = [];
  readonly taken: { readonly delivery: Delivery; readonly reason: unknown }[] = [];
  /** What it left behind; undefined: it lives. */
  left: CheckpointStore | undefined;

  async run(
    store: CheckpointStore,
    poison: string | undefined,
    options: Partial<SubscribeOptions> = {},
  ): Promise<void> {
    const transport = create({ checkpoints: store, clock: forgotten });
    const hook: Middleware = (next, subscription) => {
      subscription.onExhausted(async (delivery, reason) => {
        this.taken.push({ delivery, reason });
      });
      return next;
    };
    await transport.subscribe(
      ['orders'],
      async (delivery) => {
        if (delivery.message.id === poison) {
          this.attempts.push(delivery.attempt);
          this.left = await killed(store);
          await new Promise(() => {});
        }
        this.handled.push(delivery.message.id);
      },
      { group: 'g', concurrency: 16, drainMs: 0, use: [hook], ...options },
    );
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(
      items(1, 100).filter(({ position }) => position > publisher.resumeAfter),
      at(100),
    );
  }
}

describe('crash guard of a log', () => {
  it('gives a message that kills its process to the hook after maxCrashes + 2 deaths; the others flow', async () => {
    let store: CheckpointStore = createMemoryCheckpointStore();
    const attempts: number[] = [];
    const handled = new Set<string>();
    let taken: Life['taken'] = [];
    for (let deaths = 0; taken.length === 0; deaths += 1) {
      expect(deaths).toBeLessThanOrEqual(5);
      const life = new Life();
      await life.run(store, 'e40');
      await until(() => life.left !== undefined || life.taken.length > 0, 'death or the hook');
      if (life.left === undefined) await until(() => new Set([...handled, ...life.handled]).size === 99, 'the others');
      for (const id of life.handled) handled.add(id);
      attempts.push(...life.attempts);
      store = life.left ?? store;
      taken = life.taken;
    }
    // Of the first nothing is recorded; of the second, with whom the message was at work; at the others it was alone.
    expect(attempts).toEqual([1, 1, 2, 3, 4]);
    expect(taken[0]?.delivery.message.id).toBe('e40');
    expect(taken[0]?.reason).toMatchObject({ code: 'HANDLER', message: expect.stringContaining('died 3 times') });
    expect(handled.size).toBe(99);
    const next = new Life();
    await closeTransports();
    await next.run(store, undefined);
    expect(next.handled).toEqual([]);
  });

  it('holds such a message untried where nobody takes it', async () => {
    const store = createMemoryCheckpointStore();
    const progress = { starts: 3, suspectLeft: 900, entries: [[at(2), { attempt: 3, crashes: 3, level: 3, open: 0 }]] };
    await store.write(
      'inprocess/log/g',
      JSON.stringify({ version: 1, topics: { orders: { done: '[""]', guard: progress } } }),
    );
    const life = new Life();
    await life.run(store, 'e2', { use: [], maxHoldMs: 1 });
    await until(() => life.handled.length === 99, 'the others');
    expect(life.attempts).toEqual([]);
  });

  it('goes on counting attempts after a crash', async () => {
    const store = createMemoryCheckpointStore();
    const clock = createVirtualClock();
    const transport = create({ checkpoints: store, clock });
    const attempts: number[] = [];
    await transport.subscribe(
      ['orders'],
      async ({ attempt }) => {
        attempts.push(attempt);
        throw new Error('no');
      },
      { group: 'g', drainMs: 0, maxHoldMs: 600_000 },
    );
    await (await transport.openCheckpointed('log', { topics: ['orders'] })).publish(items(1, 1), at(1));
    await clock.advance(60_000);
    // How often it has failed is stored a moment after.
    let before = 0;
    while (before !== attempts.length) {
      before = attempts.length;
      await clock.advance(250);
    }
    expect(before).toBeGreaterThan(5);
    const other = create({ checkpoints: await killed(store) });
    const seen: number[] = [];
    await other.subscribe(['orders'], async ({ attempt }) => void seen.push(attempt), { group: 'g' });
    await (await other.openCheckpointed('log', { topics: ['orders'] })).publish(items(1, 1), at(1));
    await until(() => seen.length > 0, 'handling');
    expect(seen).toEqual([before + 1]);
  });

  it('forgets deaths when the transport is closed', async () => {
    const store = createMemoryCheckpointStore();
    for (let run = 0; run < 4; run += 1) {
      const life = new Life();
      await life.run(store, undefined);
      await until(() => life.handled.length === (run === 0 ? 100 : 0), 'all handled');
      await closeTransports();
    }
    expect(await store.read('inprocess/log/g')).not.toContain('guard');
  });
});
