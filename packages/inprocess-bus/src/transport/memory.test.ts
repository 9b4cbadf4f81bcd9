import { type Logger, silentLogger } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
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
import { createVirtualClock } from '../virtual-clock.ts';

afterEach(closeTransports);

describe('memory', () => {
  it('keeps at most the retention for groups to come', async () => {
    const transport = create({ retention: 5 });
    await transport.publish('orders', numbered('o', 12));
    await transport.publish('orders', numbered('p', 1));
    const { handler, ids } = recorder();
    await transport.subscribe(['orders'], handler, { group: 'g' });
    await settled();
    expect(ids).toEqual(['o8', 'o9', 'o10', 'o11', 'p0']);
  });

  it('drops nothing that a group at work has yet to read: publishing waits', async () => {
    const transport = create({ retention: 10 });
    const keeper = gatekeeper();
    // The member takes 1,000 into its lanes; what stands behind them stays in the topic.
    await transport.subscribe(['orders'], keeper.handler, { group: 'g' });
    let stored = 0;
    const publishing = Promise.all(
      numbered('o', 1_100, () => 'k').map(async (one) => {
        await transport.publish('orders', [one]);
        stored += 1;
      }),
    );
    await settled();
    expect(stored).toBe(1_000 + 10);
    for (let index = 0; index < 1_100; index++) {
      await until(() => keeper.started.length > index, `start of o${index}`);
      keeper.letGo(`o${index}`);
    }
    await publishing;
    await until(() => keeper.done.length === 1_100, 'all handled');
    expect(keeper.done).toEqual(numbered('o', 1_100).map(({ id }) => id));
  });

  it('rejects a publish that waited too long with a retryable error that names what was not stored', async () => {
    const clock = createVirtualClock();
    const transport = create({ clock, retention: 3, publishTimeoutMs: 1_000 });
    const full = numbered('o', 1_005, () => 'k');
    // A handler that publishes to its own full topic: an error, not a deadlock.
    const outcomes: unknown[] = [];
    await transport.subscribe(
      ['orders'],
      async ({ message: { id } }) => {
        if (id !== 'o0') return;
        await transport.publish('orders', full.slice(1)).catch((error: unknown) => void outcomes.push(error));
      },
      { group: 'slow' },
    );
    await transport.publish('orders', full.slice(0, 1));
    await clock.advance(999);
    expect(outcomes).toEqual([]);
    await clock.advance(1);
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({ code: 'PUBLISH', retryable: true, failed: [1_002, 1_003] });
    expect(String(outcomes[0])).toContain('group "slow" is 3 messages behind');
  });

  it('lets a publish that fits go on when one before it gives up', async () => {
    const clock = createVirtualClock();
    const transport = create({ clock, retention: 2, publishTimeoutMs: 100 });
    const keeper = gatekeeper();
    const subscription = await transport.subscribe(['orders'], keeper.handler, { group: 'g', drainMs: 0 });
    await transport.publish('orders', numbered('o', 1_002));
    const first = transport.publish('orders', numbered('x', 1));
    const failed = codeOf(first);
    await clock.advance(60);
    let second = 'waiting';
    const waiting = transport.publish('orders', numbered('y', 1)).then(() => (second = 'stored'));
    await clock.advance(40);
    expect([await failed, second]).toEqual(['PUBLISH', 'waiting']);
    const closing = subscription.close();
    await clock.advance(0);
    await closing;
    await waiting;
    expect(second).toBe('stored');
  });

  it('holds nothing back for a group that nobody reads, and says what it missed', async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (_, fields) => void warnings.push(fields) };
    const transport = create({ retention: 2, logger });
    const first = recorder();
    const subscription = await transport.subscribe(['orders'], first.handler, { group: 'g' });
    await transport.publish('orders', numbered('o', 1));
    await settled();
    await subscription.close();
    await transport.publish('orders', numbered('p', 5));
    const second = recorder();
    await transport.subscribe(['orders'], second.handler, { group: 'g' });
    await settled();
    expect([first.ids, second.ids]).toEqual([['o0'], ['p3', 'p4']]);
    expect(warnings).toEqual([{ group: 'g', topic: 'orders', missed: 3 }]);
  });

  it('drops nothing of a topic that middleware made for a group which is yet to come', async () => {
    const clock = createVirtualClock();
    const transport = create({ clock, retention: 2, publishTimeoutMs: 100 });
    await transport.subscribe(['orders'], recorder().handler, {
      group: 'g',
      use: [
        (next, subscription) => {
          subscription.ensureTopic('orders-g-DLQ', { subscription: 'rescue' });
          return next;
        },
      ],
    });
    await transport.publish('orders-g-DLQ', numbered('d', 2));
    const third = codeOf(transport.publish('orders-g-DLQ', numbered('e', 1)));
    await clock.advance(100);
    expect(await third).toBe('PUBLISH');
    const { handler, ids } = recorder();
    await transport.subscribe(['orders-g-DLQ'], handler, { group: 'rescue', startPosition: 'latest' });
    await settled();
    expect(ids).toEqual(['d0', 'd1']);
  });

  it('does not count what is not due yet as read', async () => {
    const clock = createVirtualClock(0);
    const transport = create({ clock, retention: 2, publishTimeoutMs: 1_000 });
    const { handler, ids } = recorder();
    await transport.subscribe(['orders'], handler, { group: 'g' });
    const late = ['d0', 'd1', 'd2'].map((id) => message({ id, headers: dueAt(500) }));
    let stored = false;
    const publishing = transport.publish('orders', late).then(() => (stored = true));
    await settled();
    expect(stored).toBe(false);
    await clock.advance(500);
    await publishing;
    await clock.advance(0);
    expect(ids).toEqual(['d0', 'd1', 'd2']);
  });
});
