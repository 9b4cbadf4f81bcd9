import { defineReadModel } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../test/support/log-backend.ts';
import { orderEvents, orderProjection } from '../test/support/orders.ts';
import { watchedStore } from '../test/support/watched.ts';
import { noted, placed, shipped, World } from '../test/support/world.ts';
import { defineProjection } from './projection.ts';
import { createProjector } from './projector.ts';
import type { CaughtUpProgress, Projector } from './projector-options.ts';
import { createInMemoryCheckpoints } from './verified-progress.ts';

const projectorOf = (world: World, options: Partial<Parameters<typeof createProjector>[0]> = {}): Projector =>
  createProjector({ store: world.store, readModels: world.readModels, projections: [orderProjection], ...options });
const shipments = defineProjection({
  name: 'shipments',
  streams: ['order'],
  events: { 'order.shipped': orderEvents['order.shipped'] },
  model: defineReadModel({ name: 'shipments', version: 1, key: ['orderId'], columns: { orderId: 'string' } }),
  evolve: (_row, { stream }) => ({ orderId: stream.id }),
});

describe('caught up', () => {
  it('is at once for an empty log, and for rows that are there', async () => {
    const world = new World();
    const projector = projectorOf(world);
    await expect(projector.caughtUp({ to: await world.store.head(), timeoutMs: 0 })).resolves.toBeUndefined();
    await world.append('o-1', placed('o-1'), noted('x'));
    await projector.catchUp();
    await expect(projector.caughtUp({ to: await world.store.head(), timeoutMs: 0 })).resolves.toBeUndefined();
  });

  it('waits until the rows are at their streams’ versions, and tells how many are not', async () => {
    const world = new World();
    for (let index = 0; index < 5; index++) await world.append(`o-${index}`, placed(`o-${index}`), noted('x'));
    const progress: CaughtUpProgress[] = [];
    const to = await world.store.head();
    const waiting = projectorOf(world).caughtUp({ to, onProgress: (now) => progress.push(now) });
    await eventually(() => expect(progress.at(-1)?.behind).toBe(5));
    const half = (await world.events())[5]?.position ?? '';
    await projectorOf(world).catchUp({ to: half });
    await eventually(() => expect(progress.at(-1)?.behind).toBe(2));
    await projectorOf(world).catchUp();
    await waiting;
    expect(progress.at(-1)).toEqual({ position: to, to, events: 10, behind: 0 });
  });

  it('does not wait for what was committed after the position asked for', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    const to = await world.store.head();
    const projector = projectorOf(world);
    await projector.catchUp();
    await world.append('o-1', noted('later'));
    await world.append('o-2', placed('o-2'));
    await expect(projector.caughtUp({ to, timeoutMs: 0 })).resolves.toBeUndefined();
  });

  it('expects of a row the last event that its projection handles, not the last of the stream', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'), shipped('o-1'), noted('x'));
    await world.append('o-2', placed('o-2'), noted('y'));
    const projector = projectorOf(world, { projections: [orderProjection, shipments] });
    await projector.catchUp();
    await projector.caughtUp({ to: await world.store.head(), timeoutMs: 0 });
    expect(await world.readModels.find(shipments.model)).toEqual([{ orderId: 'o-1' }]);
    await world.append('o-2', shipped('o-2'));
    const late = projector.caughtUp({ to: await world.store.head(), timeoutMs: 0 });
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT', behind: 1 });
  });

  it('says after the timeout how many are behind, over all pages', async () => {
    const world = new World();
    for (let index = 0; index < 2_100; index++) await world.append(`o-${index % 1_500}`, noted('x'));
    const late = projectorOf(world).caughtUp({ to: await world.store.head(), timeoutMs: 1 });
    await expect(late).rejects.toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
      behind: 1_500,
      exact: true,
      message: expect.stringContaining('1500 streams are behind in "orders"'),
    });
  });

  it('ends with the failed events once all other rows are there', async () => {
    const world = new World();
    await world.append('bad-1', placed('bad-1'), noted('poison'), noted('after'));
    await world.append('bad-2', noted('no order'));
    await world.append('good', placed('good'));
    const projector = projectorOf(world);
    await projector.catchUp();
    await world.append('slow', placed('slow'));
    const to = await world.store.head();
    const progress: CaughtUpProgress[] = [];
    const failing = projector.caughtUp({ to, onProgress: (now) => progress.push(now) });
    const outcome = failing.catch((error: unknown) => error);
    await eventually(() => expect(progress.at(-1)?.behind).toBe(3));
    await projector.catchUp();
    expect(await outcome).toMatchObject({
      name: 'FailedEventsError',
      code: 'HANDLER',
      count: 2,
      failures: [
        { streamId: 'bad-1', streamVersion: 2, reason: 'a poisoned note' },
        { streamId: 'bad-2', streamVersion: 1, reason: 'the order was never placed' },
      ],
      message: expect.stringMatching(/version 2 of "order\/bad-1" in "orders" \(a poisoned note\), version 1/),
    });
    // Also when the time is over while others are behind.
    await world.append('slow-2', placed('slow-2'));
    const late = projector.caughtUp({ to: await world.store.head(), timeoutMs: 0 });
    await expect(late).rejects.toMatchObject({ name: 'FailedEventsError', count: 2 });
  });

  it('does not mind failures after the position asked for', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    const to = await world.store.head();
    await world.append('o-1', noted('poison'));
    const projector = projectorOf(world);
    await projector.catchUp();
    await projector.caughtUp({ to, timeoutMs: 0 });
    await expect(projector.caughtUp({ to: await world.store.head() })).rejects.toMatchObject({ count: 1 });
  });

  it('remembers what it verified: each call reads what is new only', async () => {
    const world = new World();
    const checkpoints = createInMemoryCheckpoints();
    const { reads, store } = watchedStore(world.store);
    for (let round = 0; round < 3; round++) {
      await world.append(`o-${round}`, placed(`o-${round}`), noted('x'));
      await projectorOf(world).catchUp();
      await projectorOf(world, { checkpoints, store }).caughtUp({ to: await world.store.head(), timeoutMs: 0 });
    }
    expect(reads.events).toHaveLength(6);
  });

  it('does not remember over a failure', async () => {
    const world = new World();
    await world.append('bad', placed('bad'), noted('poison'));
    const projector = projectorOf(world);
    await projector.catchUp();
    for (let round = 0; round < 2; round++) {
      await expect(projector.caughtUp({ to: await world.store.head() })).rejects.toMatchObject({ count: 1 });
    }
  });

  it('begins anew after a rebuild, also what was verified of the old rows meanwhile', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    const checkpoints = createInMemoryCheckpoints();
    let rebuild: (() => Promise<unknown>) | undefined;
    // A rebuild comes between the comparison and the memory of it.
    const interrupted = {
      ...checkpoints,
      async write(name: string, value: string): Promise<void> {
        const act = rebuild;
        rebuild = undefined;
        await act?.();
        await checkpoints.write(name, value);
      },
    };
    const to = await world.store.head();
    await projectorOf(world).catchUp();
    rebuild = () => {
      // Empties the rows and is interrupted before it fills them.
      const abort = AbortSignal.abort();
      return projectorOf(world, { checkpoints })
        .rebuild('orders', { signal: abort })
        .catch(() => undefined);
    };
    await projectorOf(world, { checkpoints: interrupted }).caughtUp({ to, timeoutMs: 0 });
    expect((await world.rows()).orders).toEqual([]);
    const late = projectorOf(world, { checkpoints }).caughtUp({ to, timeoutMs: 0 });
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT', behind: 1 });
  });

  it('can be aborted', async () => {
    const world = new World();
    await world.append('o-1', placed('o-1'));
    const abort = new AbortController();
    const waiting = projectorOf(world).caughtUp({
      to: await world.store.head(),
      signal: abort.signal,
      onProgress: ({ behind }) => {
        if (behind > 0) abort.abort();
      },
    });
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
