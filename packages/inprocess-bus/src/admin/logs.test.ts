import { afterEach, describe, expect, it } from '@jest/globals';
import { at, ids, items, killed, subscribeTo } from '../../test/log-support.ts';
import { closeTransports, create, recorder, settled, until } from '../../test/support.ts';
import { createMemoryCheckpointStore } from '../transport/memory-checkpoint-store.ts';
import type { InProcessTransport } from '../transport/transport.ts';
import { createInProcessAdmin } from './create-admin.ts';

afterEach(closeTransports);

const peeked = async (transport: InProcessTransport, group = 'g'): Promise<string[]> =>
  (await createInProcessAdmin(transport).peek('orders', group, { count: 100 })).map(({ message }) => message.id);

/** The group reads until it has these, and leaves. */
async function reads(transport: InProcessTransport, expected: readonly string[]): Promise<void> {
  const seen = recorder();
  const subscription = await transport.subscribe(['orders'], seen.handler, { group: 'g' });
  await until(() => seen.ids.length >= expected.length, 'what is to come');
  await settled();
  expect(seen.ids).toEqual(expected);
  await subscription.close();
}

/** What another process gets when this one is killed now: the log is published again from where that is needed. */
async function readsAfterCrash(
  store: ReturnType<typeof createMemoryCheckpointStore>,
  through: number,
): Promise<string[]> {
  const transport = create({ checkpoints: await killed(store) });
  const seen = recorder();
  await transport.subscribe(['orders'], seen.handler, { group: 'g' });
  const publisher = await transport.openCheckpointed('log', { topics: ['orders'], head: at(through) });
  await publisher.publish(
    items(1, through).filter(({ position }) => position > publisher.resumeAfter),
    at(through),
  );
  await settled();
  return seen.ids;
}

/** A topic with items 1 to 6 of a log; the group has handled 1, 3 and 5, and left. */
async function halfRead() {
  const store = createMemoryCheckpointStore();
  const { transport, keeper } = await subscribeTo(store);
  const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
  await publisher.publish(items(1, 6), at(6));
  await until(() => keeper.started.length === 6, 'all in hand');
  for (const id of ids(1, 3, 5)) keeper.letGo(id);
  await until(() => keeper.done.length === 3, 'three handled');
  return { store, transport, publisher, keeper, admin: createInProcessAdmin(transport) };
}

/** Another process on what the first one left: its group has 2, 4, 6 and two more before it, and no member. */
async function leftBehind() {
  const { store } = await halfRead();
  const transport = create({ checkpoints: await killed(store) });
  const subscription = await transport.subscribe(['orders'], () => new Promise(() => {}), { group: 'g', drainMs: 0 });
  const publisher = await transport.openCheckpointed('log', { topics: ['orders'], head: at(6) });
  await publisher.publish(
    items(1, 8).filter(({ position }) => position > publisher.resumeAfter),
    at(8),
  );
  await settled();
  await subscription.close();
  return { transport, admin: createInProcessAdmin(transport) };
}

describe('administration of a topic with items of a log', () => {
  it('counts and shows what is not finished, also what members have in hand', async () => {
    const { transport, admin } = await halfRead();
    expect(await peeked(transport)).toEqual(ids(2, 4, 6));
    expect(await admin.describeGroup('orders', 'g')).toEqual({
      group: 'g',
      topic: 'orders',
      backlog: 3,
      partitions: [{ partition: 0, backlog: 3, next: at(2) }],
      members: [{ id: 'g-1', partitions: [0] }],
    });
    expect((await admin.describeTopic('orders')).partitions).toEqual([
      { partition: 0, messages: 6, bytes: 6, first: at(1), last: at(6) },
    ]);
    expect(await admin.skip('orders', 'g', 1).catch((error: { code: string }) => error.code)).toBe('GROUP_CONFLICT');
  });

  it('skips items of a group that has left, for good', async () => {
    const { transport, admin } = await leftBehind();
    expect(await peeked(transport)).toEqual(ids(2, 4, 6, 7, 8));
    expect(await admin.skip('orders', 'g', 2)).toBe(2);
    expect(await peeked(transport)).toEqual(ids(6, 7, 8));
    await reads(transport, ids(6, 7, 8));
    expect(await peeked(transport)).toEqual([]);
  });

  it('moves a group to a position, to the beginning and to the end', async () => {
    const { transport, admin } = await leftBehind();
    await admin.reset('orders', 'g', { position: at(5) });
    expect(await peeked(transport)).toEqual(ids(5, 6, 7, 8));
    await admin.reset('orders', 'g', 'latest');
    expect(await peeked(transport)).toEqual([]);
    // The topic holds what this process has published: from 2 on.
    await admin.reset('orders', 'g', 'earliest');
    await reads(transport, ids(2, 3, 4, 5, 6, 7, 8));
  });

  it('keeps moves over a crash', async () => {
    const store = createMemoryCheckpointStore();
    const transport = create({ checkpoints: store });
    const admin = createInProcessAdmin(transport);
    const seen = recorder();
    const subscription = await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 5), at(5));
    await until(() => seen.ids.length === 5, 'all');
    await subscription.close();
    await admin.reset('orders', 'g', { position: at(3) });
    expect(await readsAfterCrash(store, 5)).toEqual(ids(3, 4, 5));
    await admin.skip('orders', 'g', 1);
    expect(await readsAfterCrash(store, 5)).toEqual(ids(4, 5));
    await admin.deleteGroup('g', ['orders']);
    expect(await admin.listGroups('orders')).toEqual([]);
    expect(await readsAfterCrash(store, 5)).toEqual(ids(1, 2, 3, 4, 5));
  });

  it('keeps what comes for a group without members, also over the next opening of the log', async () => {
    const transport = create();
    const admin = createInProcessAdmin(transport);
    await admin.createTopic('orders');
    await admin.createGroup('orders', 'before');
    const first = await transport.openCheckpointed('log', { topics: ['orders'], head: '' });
    await first.publish(items(1, 3), at(3));
    await admin.createGroup('orders', 'g');
    await admin.createGroup('orders', 'all', 'earliest');
    await first.publish(items(4, 5), at(5));
    await first.close();
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(second.resumeAfter).toBe(at(5));
    await second.publish(items(6, 6), at(6));
    expect(await peeked(transport, 'before')).toEqual(ids(1, 2, 3, 4, 5, 6));
    expect(await peeked(transport, 'all')).toEqual(ids(1, 2, 3, 4, 5, 6));
    expect(await peeked(transport)).toEqual(ids(4, 5, 6));
    await reads(transport, ids(4, 5, 6));
  });

  it('refuses a group that needs what is no longer in memory, and leaves nothing of it', async () => {
    const transport = create({ retention: 2 });
    const admin = createInProcessAdmin(transport);
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(3));
    await expect(admin.createGroup('orders', 'g', 'earliest')).rejects.toMatchObject({ code: 'CONFIGURATION' });
    expect(await admin.listGroups('orders')).toEqual([]);
    await publisher.publish(items(4, 9), at(9));
  });

  it('deletes a topic under its log, which goes on in a new one', async () => {
    const transport = create();
    const admin = createInProcessAdmin(transport);
    const seen = recorder();
    const subscription = await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(3));
    await until(() => seen.ids.length === 3, 'all');
    await expect(admin.deleteTopic('orders')).rejects.toMatchObject({ code: 'GROUP_CONFLICT' });
    await subscription.close();
    expect(await admin.deleteTopic('orders')).toBe(true);
    expect(await admin.listTopics()).toEqual([]);
    await transport.subscribe(['orders'], seen.handler, { group: 'new', startPosition: 'latest' });
    await publisher.publish(items(4, 5), at(5));
    await until(() => seen.ids.length === 5, 'what came afterwards');
    expect((await admin.describeTopic('orders')).partitions).toMatchObject([{ messages: 2, first: at(4) }]);
  });
});
