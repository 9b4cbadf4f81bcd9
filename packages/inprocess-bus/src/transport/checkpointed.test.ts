import { type CheckpointedItem, type CheckpointStore, headerNames, type StartPosition } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { gatekeeper, message, recorder, settled, until } from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { createMemoryCheckpointStore } from './memory-checkpoint-store.ts';
import type { InProcessTransportOptions } from './options.ts';
import { createInProcessTransport, type InProcessTransport } from './transport.ts';

const open: InProcessTransport[] = [];
const create = (options?: InProcessTransportOptions): InProcessTransport => {
  const transport = createInProcessTransport(options);
  open.push(transport);
  return transport;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((transport) => transport.close()));
});

const at = (place: number): string => String(place).padStart(6, '0');
const item = (place: number, topic = 'orders', given: Parameters<typeof message>[0] = {}): CheckpointedItem => ({
  topic,
  position: at(place),
  message: message({ id: `e${place}`, key: `k${place}`, ...given }),
});
const items = (from: number, to: number, topic = 'orders'): CheckpointedItem[] =>
  Array.from({ length: to - from + 1 }, (_, index) => item(from + index, topic));
const ids = (...places: number[]): string[] => places.map((place) => `e${place}`);
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code ?? error,
  );

/** What a process leaves behind when it is killed now: later writes do not count. */
async function killed(store: CheckpointStore, log = 'log', group = 'g'): Promise<CheckpointStore> {
  const copy = createMemoryCheckpointStore();
  const name = `inprocess/${log}/${group}`;
  const value = await store.read(name);
  if (value !== undefined) await copy.write(name, value);
  return copy;
}

/** A store whose writes wait until they are let through. */
function slowStore(): CheckpointStore & { writes: number; letThrough(): void } {
  const inner = createMemoryCheckpointStore();
  let waiting: (() => void)[] = [];
  return {
    ...inner,
    writes: 0,
    async write(name, value) {
      this.writes += 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      await inner.write(name, value);
    },
    letThrough() {
      const all = waiting;
      waiting = [];
      for (const go of all) go();
    },
  };
}

describe('publishing a log', () => {
  it('delivers items with their position, and begins at the start for a group without progress', async () => {
    const transport = create();
    const seen = recorder();
    await transport.subscribe(['orders', 'payments'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders', 'payments'], head: at(9) });
    expect(publisher.resumeAfter).toBe('');
    await publisher.publish([item(1), item(2, 'payments'), item(3)], at(5));
    await settled();
    expect(
      seen.deliveries.map(({ topic, position, attempt }) => `${topic} ${position} #${attempt}`).toSorted(),
    ).toEqual(['orders 000001 #1', 'orders 000003 #1', 'payments 000002 #1']);
  });

  it('skips items that it has published already', async () => {
    const transport = create();
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(4));
    await publisher.publish([item(2), item(3), item(4), item(5)], at(5));
    await settled();
    expect(seen.ids).toEqual(ids(1, 2, 3, 5));
  });

  it('fences the publisher that was opened before, also where it waits for room', async () => {
    const transport = create({ retention: 1 });
    const keeper = gatekeeper();
    await transport.subscribe(['orders'], keeper.handler, { group: 'g', drainMs: 0 });
    const first = await transport.openCheckpointed('log', { topics: ['orders'] });
    const waiting = codeOf(first.publish(items(1, 2_000), at(2_000)));
    await settled();
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await waiting).toBe('FENCED');
    expect(await codeOf(first.publish([], at(3_000)))).toBe('FENCED');
    expect(second.resumeAfter).toBe('');
    await first.close();
    const other = await transport.openCheckpointed('other', { topics: ['orders'] });
    expect(await codeOf(other.publish([], at(1)))).toBe('no error');
  });

  it('goes on after a second opening without a gap and without a repetition', async () => {
    const transport = create({ retention: 10 });
    const keeper = gatekeeper();
    await transport.subscribe(['orders'], keeper.handler, { group: 'g', concurrency: 10 });
    const first = await transport.openCheckpointed('log', { topics: ['orders'] });
    const cut = codeOf(first.publish(items(1, 1_500), at(1_500)));
    await settled();
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await cut).toBe('FENCED');
    const publishing = second.publish(items(1, 1_500), at(1_500));
    for (let place = 1; place <= 1_500; place++) {
      await until(() => keeper.started.length >= place, `start ${place}`);
      keeper.letGo(`e${place}`);
    }
    await publishing;
    await until(() => keeper.done.length === 1_500, 'all handled');
    expect(keeper.started).toEqual(items(1, 1_500).map(({ message: { id } }) => id));
  });

  it('waits for room as long as it takes, and ends with its signal, its close or that of the transport', async () => {
    for (const end of ['signal', 'close', 'transport'] as const) {
      const transport = create({ retention: 1 });
      await transport.subscribe(['orders'], gatekeeper().handler, { group: 'g', drainMs: 0 });
      const controller = new AbortController();
      const publisher = await transport.openCheckpointed('log', { topics: ['orders'], signal: controller.signal });
      const waiting = codeOf(publisher.publish(items(1, 2_000), at(2_000)));
      await settled();
      if (end === 'signal') controller.abort();
      else if (end === 'close') await publisher.close();
      else await transport.close();
      expect(await waiting).toBe(end === 'signal' ? 'ABORTED' : 'CLOSED');
      expect(await codeOf(publisher.publish([], at(3_000)))).toBe(end === 'signal' ? 'ABORTED' : 'CLOSED');
    }
  });

  it('does not open with a signal that has aborted, and fences nobody by it', async () => {
    const transport = create();
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await codeOf(transport.openCheckpointed('log', { topics: ['orders'], signal: AbortSignal.abort() }))).toBe(
      'ABORTED',
    );
    expect(await codeOf(publisher.publish(items(1, 1), at(1)))).toBe('no error');
  });

  it('refuses items that do not ascend, of an unknown topic, or after `through`, and stores nothing of them', async () => {
    const transport = create();
    const seen = recorder();
    await transport.subscribe(['orders', 'else'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await codeOf(publisher.publish([item(2), item(1)], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(1)], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(2, 'else')], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(3)], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(2, 'orders', { id: '' })], at(2)))).toBe('CONFIGURATION');
    await settled();
    expect(seen.ids).toEqual([]);
    await publisher.publish(items(1, 2), at(2));
    await settled();
    expect(seen.ids).toEqual(ids(1, 2));
  });
});

const subscribeTo = async (checkpoints: CheckpointStore, startPosition?: StartPosition, retention = 10_000) => {
  const transport = create({ checkpoints, retention });
  const keeper = gatekeeper();
  await transport.subscribe(['orders'], keeper.handler, {
    group: 'g',
    concurrency: 100,
    drainMs: 0,
    ...(startPosition === undefined ? {} : { startPosition }),
  });
  return { transport, keeper };
};

const timed = (place: number): CheckpointedItem => item(place, 'orders', { time: place * 10 });

describe('progress over a restart', () => {
  it('brings after a crash exactly what was not finished, out of order or not', async () => {
    const store = createMemoryCheckpointStore();
    const before = await subscribeTo(store);
    const first = await before.transport.openCheckpointed('log', { topics: ['orders'] });
    await first.publish(items(1, 6), at(6));
    await settled();
    for (const place of [1, 3, 4, 6]) before.keeper.letGo(`e${place}`);
    await settled();

    const after = await subscribeTo(await killed(store));
    const second = await after.transport.openCheckpointed('log', { topics: ['orders'] });
    expect(second.resumeAfter).toBe(at(1));
    await second.publish(items(2, 8), at(8));
    await settled();
    expect(after.keeper.started).toEqual(ids(2, 5, 7, 8));
  });

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

  it('begins at the head for a group that wants the latest, and stores that before anything happens', async () => {
    const store = createMemoryCheckpointStore();
    const before = await subscribeTo(store, 'latest');
    const first = await before.transport.openCheckpointed('log', { topics: ['orders'], head: at(100) });
    expect(first.resumeAfter).toBe(at(100));

    const after = await subscribeTo(await killed(store), 'latest');
    const second = await after.transport.openCheckpointed('log', { topics: ['orders'], head: at(200) });
    expect(second.resumeAfter).toBe(at(100));
    await second.publish(items(101, 102), at(200));
    await settled();
    expect(after.keeper.started).toEqual(ids(101, 102));
  });

  it('wants to know the head for a group that begins at the latest', async () => {
    const { transport } = await subscribeTo(createMemoryCheckpointStore(), 'latest');
    await expect(transport.openCheckpointed('log', { topics: ['orders'] })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining("Open it with the log's head"),
    });
    expect((await transport.openCheckpointed('log', { topics: ['orders'], head: at(3) })).resumeAfter).toBe(at(3));
  });

  it('passes over items from before the time at which a group begins, also after a restart', async () => {
    const store = createMemoryCheckpointStore();
    const before = await subscribeTo(store, { time: 30 });
    const first = await before.transport.openCheckpointed('log', { topics: ['orders'], head: at(9) });
    expect(first.resumeAfter).toBe('');
    await first.publish([timed(1), timed(2), timed(3)], at(3));
    await settled();
    expect(before.keeper.started).toEqual(ids(3));
    const after = await subscribeTo(await killed(store), 'earliest');
    const second = await after.transport.openCheckpointed('log', { topics: ['orders'] });
    await second.publish(
      [timed(1), timed(2), timed(3), timed(4)].filter(({ position }) => position > second.resumeAfter),
      at(4),
    );
    await settled();
    expect(after.keeper.started).toEqual(ids(3, 4));
  });

  it('resumes behind the group that is furthest behind, and others skip what they have finished', async () => {
    const store = createMemoryCheckpointStore();
    const before = create({ checkpoints: store });
    const [quick, slow] = [recorder(), gatekeeper()];
    await before.subscribe(['orders'], quick.handler, { group: 'quick' });
    await before.subscribe(['orders'], slow.handler, { group: 'slow', drainMs: 0 });
    await (await before.openCheckpointed('log', { topics: ['orders'] })).publish(items(1, 3), at(3));
    await settled();
    await before.close();

    const after = create({ checkpoints: store });
    const [quickAgain, slowAgain] = [recorder(), recorder()];
    await after.subscribe(['orders'], quickAgain.handler, { group: 'quick' });
    await after.subscribe(['orders'], slowAgain.handler, { group: 'slow' });
    const publisher = await after.openCheckpointed('log', { topics: ['orders'] });
    expect(publisher.resumeAfter).toBe('');
    await publisher.publish(items(1, 4), at(4));
    await settled();
    expect([quickAgain.ids, slowAgain.ids]).toEqual([ids(4), ids(1, 2, 3, 4)]);
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

  it('does not move over what is still with a handler', async () => {
    const store = createMemoryCheckpointStore();
    const { transport } = await subscribeTo(store);
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish([item(5), item(6)], at(50));
    await settled();
    await publisher.publish([], at(90));
    await transport.close();
    const after = await subscribeTo(store);
    const second = await after.transport.openCheckpointed('log', { topics: ['orders'] });
    expect(second.resumeAfter).toBe('');
    await second.publish([item(5), item(6), item(95)], at(95));
    await settled();
    expect(after.keeper.started).toEqual(ids(5, 6, 95));
  });

  it('keeps progress by topic: a topic that a group takes up later begins by its start position', async () => {
    const store = createMemoryCheckpointStore();
    const before = await subscribeTo(store);
    const first = await before.transport.openCheckpointed('log', { topics: ['orders', 'payments'] });
    await first.publish([item(1), item(2, 'payments')], at(2));
    await settled();
    before.keeper.letGo('e1');
    await settled();
    await before.transport.close();

    const transport = create({ checkpoints: store });
    const seen = recorder();
    await transport.subscribe(['orders', 'payments'], seen.handler, { group: 'g' });
    const second = await transport.openCheckpointed('log', { topics: ['orders', 'payments'] });
    expect(second.resumeAfter).toBe('');
    await second.publish([item(1), item(2, 'payments'), item(3)], at(3));
    await settled();
    expect(seen.ids.toSorted()).toEqual(ids(2, 3));
  });

  it('does not wait for ever for an item that is no longer published', async () => {
    const store = createMemoryCheckpointStore();
    const before = await subscribeTo(store);
    await (await before.transport.openCheckpointed('log', { topics: ['orders'] })).publish(items(1, 3), at(3));
    await settled();
    before.keeper.letGo('e3');
    await settled();
    const left = await killed(store);
    const after = await subscribeTo(left);
    const second = await after.transport.openCheckpointed('log', { topics: ['orders'] });
    await second.publish([item(2)], at(3));
    await settled();
    expect(after.keeper.started).toEqual(ids(2));
    after.keeper.letGo('e2');
    await settled();
    await after.transport.close();
    expect(second.resumeAfter).toBe('');
    const last = await subscribeTo(left);
    expect((await last.transport.openCheckpointed('log', { topics: ['orders'] })).resumeAfter).toBe(at(3));
  });

  it('keeps a delayed item unfinished until it was due and handled', async () => {
    const clock = createVirtualClock(1_000);
    const store = createMemoryCheckpointStore();
    const transport = create({ checkpoints: store, clock });
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish([item(1, 'orders', { headers: { [headerNames.deliverAt]: '9000' } }), item(2)], at(2));
    await settled();
    expect(seen.ids).toEqual(ids(2));
    const after = await subscribeTo(await killed(store));
    const second = await after.transport.openCheckpointed('log', { topics: ['orders'] });
    await second.publish(items(1, 2), at(2));
    await settled();
    expect(after.keeper.started).toEqual(ids(1));
    await clock.advance(8_000);
    expect(seen.ids).toEqual(ids(2, 1));
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

describe('groups that come late', () => {
  it('get what the topic still holds', async () => {
    const transport = create();
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(3));
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    await publisher.publish(items(4, 4), at(4));
    await settled();
    expect(seen.ids).toEqual(ids(1, 2, 3, 4));
  });

  it('are refused when the topic holds it no longer, and told to subscribe before', async () => {
    const transport = create({ retention: 2 });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(3));
    const { handler } = recorder();
    await expect(transport.subscribe(['orders'], handler, { group: 'g' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('Subscribe before the relay is started'),
    });
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'new', startPosition: 'latest' });
    await publisher.publish(items(4, 4), at(4));
    await settled();
    expect(seen.ids).toEqual(ids(4));
  });

  it('get everything, each item once, when the log is opened again', async () => {
    const transport = create({ retention: 2 });
    const early = recorder();
    await transport.subscribe(['orders'], early.handler, { group: 'early' });
    const first = await transport.openCheckpointed('log', { topics: ['orders'] });
    await first.publish(items(1, 3), at(3));
    await first.publish(items(4, 5), at(5));
    await settled();
    await first.close();
    const late = recorder();
    await transport.subscribe(['orders'], late.handler, { group: 'late' });
    await settled();
    expect(late.ids).toEqual([]);
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(second.resumeAfter).toBe('');
    await second.publish(items(1, 7), at(7));
    await settled();
    expect(late.ids).toEqual(ids(1, 2, 3, 4, 5, 6, 7));
    expect(early.ids).toEqual(ids(1, 2, 3, 4, 5, 6, 7));
  });

  it('are refused too when they left and the topic has dropped what they had yet to read', async () => {
    const transport = create({ retention: 2 });
    const first = recorder();
    const subscription = await transport.subscribe(['orders'], first.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 1), at(1));
    await settled();
    await subscription.close();
    await publisher.publish(items(2, 5), at(5));
    expect(await codeOf(transport.subscribe(['orders'], first.handler, { group: 'g' }))).toBe('CONFIGURATION');
    await publisher.close();
    await transport.subscribe(['orders'], first.handler, { group: 'g' });
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(second.resumeAfter).toBe(at(1));
    await second.publish(items(2, 6), at(6));
    await settled();
    expect(first.ids).toEqual(ids(1, 2, 3, 4, 5, 6));
  });

  it('are served from memory when they left and nothing was dropped', async () => {
    const transport = create();
    const seen = recorder();
    const subscription = await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 1), at(1));
    await settled();
    await subscription.close();
    await publisher.publish(items(2, 5), at(9));
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    await settled();
    expect(seen.ids).toEqual(ids(1, 2, 3, 4, 5));
  });
});
