import { type CheckpointStore } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { at, ids, item, items, killed, slowStore, subscribeTo } from '../../test/log-support.ts';
import { closeTransports, create, recorder, settled, until } from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { createMemoryCheckpointStore } from './memory-checkpoint-store.ts';

afterEach(closeTransports);

describe('storing progress', () => {
  it('acknowledges an item only once its progress is stored, and stores many with one write', async () => {
    const store = slowStore();
    const transport = create({ checkpoints: store });
    const done: string[] = [];
    const seen: string[] = [];
    const subscribing = transport.subscribe(
      ['orders'],
      async ({ message: { id } }) => {
        seen.push(id);
      },
      {
        group: 'g',
        concurrency: 10,
        use: [
          (next) => async (delivery, signal) => {
            await next(delivery, signal);
            done.push(delivery.message.id);
          },
        ],
      },
    );
    await subscribing;
    const opening = transport.openCheckpointed('log', { topics: ['orders'] });
    await settled();
    store.letThrough();
    const publisher = await opening;
    await publisher.publish(items(1, 30), at(30));
    await settled();
    // The slots are held by what is handled and not stored.
    expect([seen.length, store.writes]).toEqual([10, 2]);
    store.letThrough();
    await settled();
    expect(seen.length).toBeLessThan(30);
    await until(() => {
      store.letThrough();
      return seen.length === 30;
    }, 'all handled');
    expect(store.writes).toBeLessThan(12);
    const closing = transport.close();
    await until(() => {
      store.letThrough();
      return done.length === 30;
    }, 'all stored');
    const pump = setInterval(() => store.letThrough(), 1);
    await closing;
    clearInterval(pump);
  });

  it('repeats what was handled and not stored, and in this process does not', async () => {
    const store = slowStore();
    const transport = create({ checkpoints: store });
    const seen = recorder();
    const clock = setInterval(() => store.writes === 1 && store.letThrough(), 1);
    const subscription = await transport.subscribe(['orders'], seen.handler, { group: 'g', drainMs: 5 });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    clearInterval(clock);
    await publisher.publish(items(1, 1), at(1));
    await until(() => store.writes === 2, 'the write');
    const copy = await killed(store);
    await subscription.close();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    await settled();
    expect(seen.ids).toEqual(ids(1));

    const after = await subscribeTo(copy);
    await (await after.transport.openCheckpointed('log', { topics: ['orders'] })).publish(items(1, 1), at(1));
    await settled();
    expect(after.keeper.started).toEqual(ids(1));
    const pump = setInterval(() => store.letThrough(), 1);
    await transport.close();
    clearInterval(pump);
  });

  it('keeps asking a store that fails, and acknowledges nothing meanwhile', async () => {
    const clock = createVirtualClock();
    const inner = createMemoryCheckpointStore();
    let broken = false;
    const store: CheckpointStore = {
      ...inner,
      write: async (name, value) => {
        if (broken) throw new Error('disk full');
        await inner.write(name, value);
      },
    };
    const transport = create({ checkpoints: store, clock });
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    broken = true;
    await publisher.publish(items(1, 2), at(2));
    await clock.advance(60_000);
    expect(seen.ids).toEqual(ids(1));
    broken = false;
    await clock.advance(5_000);
    expect(seen.ids).toEqual(ids(1, 2));
  });

  it('does not open when the first progress cannot be stored, and can be opened later', async () => {
    const inner = createMemoryCheckpointStore();
    let broken = true;
    const checkpoints: CheckpointStore = {
      ...inner,
      write: (name, value) => (broken ? Promise.reject(new Error('disk full')) : inner.write(name, value)),
    };
    const { transport, keeper } = await subscribeTo(checkpoints);
    await expect(transport.openCheckpointed('log', { topics: ['orders'] })).rejects.toThrow('disk full');
    broken = false;
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 1), at(1));
    await settled();
    expect(keeper.started).toEqual(ids(1));
  });

  it('moves over what holds no items: at close at once, else within a second', async () => {
    const clock = createVirtualClock();
    const store = createMemoryCheckpointStore();
    const transport = create({ checkpoints: store, clock });
    await transport.subscribe(['orders'], recorder().handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    const resumed = async (): Promise<string> => {
      const { transport: other } = await subscribeTo(await killed(store));
      return (await other.openCheckpointed('log', { topics: ['orders'] })).resumeAfter;
    };
    await publisher.publish([], at(50));
    await settled();
    expect(await resumed()).toBe('');
    await clock.advance(1_000);
    expect(await resumed()).toBe(at(50));
    await publisher.publish([item(60)], at(70));
    await publisher.close();
    await settled();
    await transport.close();
    expect(await resumed()).toBe(at(70));
  });

  it('refuses stored progress that it cannot read', async () => {
    for (const value of ['{', '{"version":2,"topics":{}}', '{"version":1,"topics":{"orders":{"done":"?"}}}', 'null']) {
      const store = createMemoryCheckpointStore();
      await store.write('inprocess/log/g', value);
      const { transport } = await subscribeTo(store);
      await expect(transport.openCheckpointed('log', { topics: ['orders'] })).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringContaining('"inprocess/log/g"'),
      });
    }
  });
});
