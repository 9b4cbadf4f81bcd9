import { afterEach, describe, expect, it } from '@jest/globals';
import { closeTransports, create, gatekeeper, numbered, recorder, settled, until } from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';

afterEach(closeTransports);

describe('groups', () => {
  it('shares the messages of a group among its members', async () => {
    const transport = create();
    const [a, b] = [recorder(), recorder()];
    await transport.subscribe(['orders'], a.handler, { group: 'g' });
    await transport.subscribe(['orders'], b.handler, { group: 'g' });
    await transport.publish('orders', numbered('o', 100));
    await until(() => a.ids.length + b.ids.length === 100, 'all handled');
    expect(new Set([...a.ids, ...b.ids]).size).toBe(100);
    expect(Math.min(a.ids.length, b.ids.length)).toBeGreaterThan(20);
  });

  it('keeps a key with one member as long as that has any of it in hand', async () => {
    const transport = create();
    const [a, b] = [gatekeeper(), gatekeeper()];
    await transport.subscribe(['orders'], a.handler, { group: 'g' });
    await transport.publish(
      'orders',
      numbered('first', 1, () => 'k'),
    );
    await settled();
    await transport.subscribe(['orders'], b.handler, { group: 'g' });
    await transport.publish(
      'orders',
      numbered('second', 1, () => 'k'),
    );
    await settled();
    expect([a.started, b.started]).toEqual([['first0'], []]);
    a.letGo('first0');
    await settled();
    expect([a.started, b.started]).toEqual([['first0', 'second0'], []]);
    a.letGo('second0');
  });

  it('goes on with the members that are left, and keeps the order of a key over the change', async () => {
    const transport = create();
    const first = gatekeeper();
    const leaving = await transport.subscribe(['orders'], first.handler, { group: 'g' });
    await transport.publish(
      'orders',
      numbered('o', 3, () => 'k'),
    );
    await settled();
    const next = recorder();
    await transport.subscribe(['orders'], next.handler, { group: 'g' });
    await transport.publish(
      'orders',
      numbered('p', 1, () => 'k'),
    );
    const closing = leaving.close();
    await settled();
    expect(next.ids).toEqual([]);
    first.letGo('o0');
    await closing;
    await until(() => next.ids.length === 3, 'the rest');
    expect(next.ids).toEqual(['o1', 'o2', 'p0']);
    expect(next.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  });

  it('goes on where it stopped when somebody subscribes again; what was not acknowledged comes one attempt higher', async () => {
    const clock = createVirtualClock();
    const transport = create({ clock });
    const first = gatekeeper();
    const one = await transport.subscribe(['orders'], first.handler, { group: 'g', drainMs: 50 });
    await transport.publish(
      'orders',
      numbered('o', 3, () => 'k'),
    );
    await settled();
    first.letGo('o0');
    await settled();
    const closing = one.close();
    await clock.advance(50);
    await closing;
    expect(first.signals[1]?.aborted).toBe(true);
    await transport.publish(
      'orders',
      numbered('p', 1, () => 'k'),
    );
    const second = recorder();
    await transport.subscribe(['orders'], second.handler, { group: 'g', startPosition: 'latest' });
    await settled();
    expect(second.deliveries.map(({ message: { id }, attempt }) => `${id}#${attempt}`)).toEqual([
      'o1#2',
      'o2#1',
      'p0#1',
    ]);
  });

  it('begins a new group at the start, at the end, or at a time', async () => {
    const clock = createVirtualClock(1_000);
    const transport = create({ clock });
    await transport.publish('orders', numbered('old', 2));
    await clock.advance(10);
    await transport.publish('orders', numbered('mid', 2));
    await clock.advance(10);
    const starts = { earliest: 'earliest', latest: 'latest', time: { time: 1_010 }, after: { time: 1_011 } } as const;
    const seen = new Map<string, string[]>();
    for (const [group, startPosition] of Object.entries(starts)) {
      const { handler, ids } = recorder();
      seen.set(group, ids);
      await transport.subscribe(['orders'], handler, { group, startPosition });
    }
    await transport.publish('orders', numbered('new', 1));
    await settled();
    expect(Object.fromEntries(seen)).toEqual({
      earliest: ['old0', 'old1', 'mid0', 'mid1', 'new0'],
      latest: ['new0'],
      time: ['mid0', 'mid1', 'new0'],
      after: ['new0'],
    });
  });
});
