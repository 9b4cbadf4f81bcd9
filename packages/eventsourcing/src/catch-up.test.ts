import { type CheckpointStore, type ReadModelStore } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { jsonCodec, LogTransport } from '../test/support/log-backend.ts';
import { evolveOrder, orderProjection, orderProjectionWith, orders } from '../test/support/orders.ts';
import { watchedReadModels, watchedStore } from '../test/support/watched.ts';
import { deliveryOf, noted, placed, shipped, World } from '../test/support/world.ts';
import { failedEvents } from './failed-events.ts';
import { createInMemoryReadModels } from './in-memory-read-models.ts';
import { createProjector } from './projector.ts';
import type { CatchUpProgress, Projector } from './projector-options.ts';
import { createInMemoryCheckpoints } from './verified-progress.ts';

const projectorOf = (world: World, options: Partial<Parameters<typeof createProjector>[0]> = {}): Projector =>
  createProjector({ store: world.store, readModels: world.readModels, projections: [orderProjection], ...options });
const mended = orderProjectionWith({
  evolve: (row, event) =>
    event.type === 'order.noted' && row ? { ...row, notes: row.notes + 1 } : evolveOrder(row, event),
});
/** A log of several pages. */
const big = async (streams = 1_200): Promise<World> => {
  const world = new World();
  for (let index = 0; index < streams; index++) await world.append(`o-${index}`, placed(`o-${index}`), noted('x'));
  return world;
};
const straightRun = async (world: World): Promise<unknown> => {
  const readModels = createInMemoryReadModels();
  await projectorOf(world, { readModels }).catchUp();
  return world.rows(readModels);
};

/** Stops at the n-th call, as a crash would. */
const crashingAt = (inner: ReadModelStore, call: 'clear' | 'write', n: number): ReadModelStore => {
  let left = n;
  return watchedReadModels(inner, (made) => {
    if (made.call === call && left-- === 0) throw new Error('crash');
  });
};

describe('catching up', () => {
  it('makes rows and facts from the store alone, page by page, and tells how far it is', async () => {
    const world = await big();
    const progress: CatchUpProgress[] = [];
    const result = await projectorOf(world).catchUp({ onProgress: (now) => progress.push(now) });
    const head = await world.store.head();
    expect(result).toEqual({ position: head, to: head, events: 2_400, failed: 0 });
    expect(progress.map(({ events }) => events)).toEqual([1_000, 2_000, 2_400]);
    const { lines, orders: rows } = await world.rows();
    expect([rows.length, lines.length]).toEqual([1_200, 2_400]);
    expect(rows).toContainEqual({ orderId: 'o-7', country: 'France', status: 'placed', notes: 1, total: '3.5' });
  });

  it('goes on where it was verified, so that a second start reads what is new only', async () => {
    const world = await big(10);
    const checkpoints = createInMemoryCheckpoints();
    const { reads, store } = watchedStore(world.store);
    await projectorOf(world, { checkpoints }).catchUp();
    await world.append('o-1', shipped('o-1'));
    const { events } = await projectorOf(world, { checkpoints, store }).catchUp();
    expect(events).toBe(1);
    expect(reads.events).toHaveLength(1);
    expect((await world.rows()).orders).toContainEqual(expect.objectContaining({ orderId: 'o-1', status: 'shipped' }));
  });

  it('finds the rows missing of what was verified when it is told where to begin', async () => {
    const world = await big(10);
    const checkpoints = createInMemoryCheckpoints();
    await projectorOf(world, { checkpoints }).catchUp();
    await world.readModels.clear(orders);
    await projectorOf(world, { checkpoints }).catchUp();
    expect((await world.rows()).orders).toEqual([]);
    await projectorOf(world, { checkpoints }).catchUp({ after: '' });
    expect((await world.rows()).orders).toHaveLength(10);
  });

  it('does not call verified what lies behind a gap that it was told to leave', async () => {
    const world = await big(10);
    const projector = projectorOf(world);
    const events = await world.events();
    await projector.catchUp({ after: events[9]?.position ?? '' });
    expect((await projector.catchUp()).events).toBe(20);
    expect((await world.rows()).orders).toHaveLength(10);
  });

  it('ends where it is told to', async () => {
    const world = await big(10);
    const events = await world.events();
    const to = events[6]?.position ?? '';
    expect(await projectorOf(world).catchUp({ to })).toEqual({ position: to, to, events: 7, failed: 0 });
    expect((await world.rows()).orders).toHaveLength(4);
  });

  it('records what fails, applies the rest, and tries it again the next time', async () => {
    const world = await big(3);
    await world.append('bad', placed('bad'), noted('poison'), shipped('bad'));
    await world.append('late', placed('late'));
    const checkpoints = createInMemoryCheckpoints();
    const { failed } = await projectorOf(world, { checkpoints }).catchUp();
    expect(failed).toBe(1);
    expect(await world.readModels.find(failedEvents)).toMatchObject([{ streamId: 'bad', streamVersion: 2 }]);
    expect((await world.rows()).orders).toHaveLength(5);
    const again = await projectorOf(world, { checkpoints, projections: [mended] }).catchUp();
    expect(again.failed).toBe(0);
    expect((await world.rows()).orders).toContainEqual(expect.objectContaining({ orderId: 'bad', status: 'shipped' }));
  });

  it('can be aborted between pages and run again', async () => {
    const world = await big();
    const projector = projectorOf(world);
    const abort = new AbortController();
    const aborted = projector.catchUp({ signal: abort.signal, onProgress: () => abort.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await world.rows()).orders).toHaveLength(500);
    expect((await projector.catchUp()).events).toBe(1_400);
    expect((await world.rows()).orders).toHaveLength(1_200);
  });

  it('reads a long gap of one stream in pieces', async () => {
    const world = new World();
    await world.append('long', placed('long'), ...Array.from({ length: 12_000 }, () => noted('x')));
    const writes: number[] = [];
    const readModels = watchedReadModels(world.readModels, ({ call, model, rows }) => {
      if (call === 'write' && model === 'orders') writes.push(rows.length);
    });
    const transport = new LogTransport();
    const last = (await world.events()).at(-1);
    if (!last) throw new Error('no events');
    await transport.publish('orders', [(await deliveryOf(last)).message]);
    const projector = projectorOf(world, { readModels });
    await using _ = await projector.subscribe(transport, { group: 'g', codec: jsonCodec, waitMs: 1 });
    await projector.caughtUp({ to: await world.store.head() });
    expect(writes).toEqual([1, 1, 1]);
    expect((await world.rows()).orders).toMatchObject([{ notes: 12_000 }]);
  });
});

describe('a rebuild', () => {
  it('empties the models and makes the same rows again, without what the code no longer makes', async () => {
    const world = await big(10);
    await projectorOf(world).catchUp();
    const stray = { orderId: 'stray', country: '', status: '', notes: 0, total: '0' };
    await world.readModels.write(orders, [{ row: stray, streamVersion: 9 }]);
    const { events } = await projectorOf(world).rebuild('orders');
    expect(events).toBe(20);
    expect(await world.rows()).toEqual(await straightRun(world));
    await expect(projectorOf(world).rebuild('sales')).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('Known: "orders"'),
    });
  });

  it('ends the same when it is interrupted anywhere and catching up goes on', async () => {
    const world = await big(520);
    const expected = await straightRun(world);
    for (const [call, n] of [
      ['clear', 0],
      ['clear', 1],
      ['write', 0],
      ['write', 1],
      ['write', 3],
    ] as const) {
      const checkpoints: CheckpointStore = createInMemoryCheckpoints();
      await projectorOf(world, { checkpoints }).catchUp();
      const readModels = crashingAt(world.readModels, call, n);
      await expect(projectorOf(world, { checkpoints, readModels }).rebuild('orders')).rejects.toThrow('crash');
      await projectorOf(world, { checkpoints }).catchUp();
      expect(await world.rows()).toEqual(expected);
    }
  });

  it('can run while events come in', async () => {
    const world = await big(520);
    const transport = new LogTransport();
    const projector = projectorOf(world);
    await using _ = await projector.subscribe(transport, { group: 'g', codec: jsonCodec, size: 7, waitMs: 1 });
    const rebuilt = projector.rebuild('orders');
    for (let index = 0; index < 300; index++) {
      for (const event of await world.append(`o-${index}`, noted('y'))) {
        await transport.publish('orders', [(await deliveryOf(event)).message]);
      }
      if (index === 100) await projector.rebuild('orders');
    }
    await rebuilt;
    await projector.caughtUp({ to: await world.store.head() });
    expect(await world.rows()).toEqual(await straightRun(world));
  });

  it('forgets the failures of before, and records anew what fails again', async () => {
    const world = await big(2);
    await world.append('bad', placed('bad'), noted('poison'));
    await projectorOf(world).catchUp();
    const checkpoints = createInMemoryCheckpoints();
    await projectorOf(world, { checkpoints, projections: [mended] }).rebuild('orders');
    expect(await world.readModels.find(failedEvents)).toMatchObject([{ state: 'superseded' }]);
    await projectorOf(world, { checkpoints }).rebuild('orders');
    expect(await world.readModels.find(failedEvents)).toMatchObject([{ state: 'failed', streamVersion: 2 }]);
  });
});
