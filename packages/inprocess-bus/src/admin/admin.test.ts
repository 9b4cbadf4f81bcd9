import { afterEach, describe, expect, it } from '@jest/globals';
import { slowStore } from '../../test/log-support.ts';
import {
  closeTransports,
  codeOf,
  create,
  dueAt,
  gatekeeper,
  message,
  numbered,
  recorder,
  settled,
  until,
} from '../../test/support.ts';
import { createInProcessTransport, type InProcessTransport } from '../transport/transport.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { createInProcessAdmin } from './create-admin.ts';

afterEach(closeTransports);

const idsOf = (all: readonly { readonly message: { readonly id: string } }[]): string[] =>
  all.map((one) => one.message.id);

describe('in-process administration', () => {
  it('works on a transport that is wrapped, as an instrument wraps it', async () => {
    const transport = create();
    const wrapped = new Proxy(transport, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const admin = createInProcessAdmin(wrapped);
    await transport.publish('orders', numbered('o', 3));
    expect(await admin.listTopics()).toEqual(['orders']);
    expect((await createInProcessAdmin({ ...transport }).describeTopic('orders')).partitions).toMatchObject([
      { messages: 3 },
    ]);
  });

  it('refuses what is no transport of this package', () => {
    expect(() => createInProcessAdmin({ name: 'other' } as InProcessTransport)).toThrow(
      /must be what createInProcessTransport made/,
    );
  });

  it('ends with its transport', async () => {
    const transport = createInProcessTransport();
    const admin = createInProcessAdmin(transport);
    await transport.close();
    expect(await codeOf(admin.listTopics())).toBe('CLOSED');
    expect(await admin.diagnose()).toMatchObject([{ level: 'fault' }]);
  });

  it('shows what is in hand, what waits and what is not due, in the order of the topic', async () => {
    const clock = createVirtualClock();
    const transport = create({ clock });
    const admin = createInProcessAdmin(transport);
    const keeper = gatekeeper();
    const subscription = await transport.subscribe(['orders'], keeper.handler, {
      group: 'g',
      concurrency: 1,
      maxLaneBacklog: 1,
      drainMs: 0,
    });
    await transport.publish('orders', [
      message({ id: 'later', headers: dueAt(clock.now() + 60_000) }),
      ...numbered('o', 20, () => 'k'),
    ]);
    await until(() => keeper.started.length === 1, 'the first at work');
    const all = ['later', ...Array.from({ length: 20 }, (_, index) => `o${index}`)];
    expect(idsOf(await admin.peek('orders', 'g', { count: 100 }))).toEqual(all);
    keeper.letGo('o0');
    await until(() => keeper.done.length === 1, 'the first handled');
    expect((await admin.describeGroup('orders', 'g')).backlog).toBe(20);
    const closing = subscription.close();
    await clock.advance(1);
    await closing;
    expect(await admin.skip('orders', 'g', 2)).toBe(2);
    expect(idsOf(await admin.peek('orders', 'g', { count: 2 }))).toEqual(['o2', 'o3']);
    await admin.reset('orders', 'g', 'earliest');
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    await settled();
    expect(seen.ids).toEqual(all.slice(1));
    await clock.advance(60_000);
    expect(seen.ids).toEqual([...all.slice(1), 'later']);
    expect(clock.pending).toBe(0);
  });

  it('holds publishers back only for what a new group is to get, and says whom they wait for', async () => {
    const transport = create({ retention: 10, publishTimeoutMs: 60_000 });
    const admin = createInProcessAdmin(transport);
    await transport.publish('orders', numbered('old', 10));
    await admin.createGroup('orders', 'mail');
    await transport.publish('orders', numbered('new', 10));
    expect(await admin.diagnose()).toMatchObject([
      { level: 'fault', found: '"orders" is full: publishing waits for group "mail"' },
    ]);
    let isStored = false;
    const waiting = transport.publish('orders', numbered('last', 1)).then(() => (isStored = true));
    await settled();
    expect(isStored).toBe(false);
    expect(await admin.skip('orders', 'mail', 1)).toBe(1);
    await waiting;
    expect(idsOf(await admin.peek('orders', 'mail', { count: 100 }))).toEqual([
      ...numbered('new', 10)
        .map(({ id }) => id)
        .slice(1),
      'last0',
    ]);
    const more = transport.publish('orders', numbered('more', 5));
    await admin.deleteGroup('mail', ['orders']);
    await more;
    expect(await admin.diagnose()).toMatchObject([{ level: 'ok' }]);
  });

  it('moves nothing under a member that is about to join', async () => {
    const checkpoints = slowStore();
    const transport = create({ checkpoints });
    const admin = createInProcessAdmin(transport);
    await transport.openCheckpointed('log', { topics: ['orders'] });
    await transport.publish('orders', numbered('o', 3));
    const seen = recorder();
    const joining = transport.subscribe(['orders'], seen.handler, { group: 'g' });
    await settled();
    for (const work of [
      admin.reset('orders', 'g', 'latest'),
      admin.deleteGroup('g', ['orders']),
      admin.deleteTopic('orders'),
    ])
      expect(await codeOf(work)).toBe('GROUP_CONFLICT');
    checkpoints.letThrough();
    await joining;
    await until(() => seen.ids.length === 3, 'all');
    let isClosed = false;
    const closing = transport.close().then(() => (isClosed = true));
    await until(() => {
      checkpoints.letThrough();
      return isClosed;
    }, 'the end');
    await closing;
  });
});
