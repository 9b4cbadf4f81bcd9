import { headerNames } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { at, ids, item, items, killed, subscribeTo, timed } from '../../test/log-support.ts';
import { closeTransports, create, gatekeeper, recorder, settled } from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { createMemoryCheckpointStore } from './memory-checkpoint-store.ts';

afterEach(closeTransports);

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
});
