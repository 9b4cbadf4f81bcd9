import { headerNames, type Logger, type Message, silentLogger } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { gatekeeper, message, numbered, recorder, settled, until } from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import type { InProcessTransportOptions } from './options.ts';
import { createInProcessTransport, type InProcessTransport } from './transport.ts';

const open: InProcessTransport[] = [];
const create = (options?: InProcessTransportOptions): InProcessTransport => {
  const transport = createInProcessTransport(options);
  open.push(transport);
  return transport;
};
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
});
const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code ?? error,
  );

describe('delivering', () => {
  it('gives every group all messages, each in the order of its topic', async () => {
    const transport = create();
    const [a, b] = [recorder(), recorder()];
    await transport.subscribe(['orders'], a.handler, { group: 'a' });
    await transport.publish(
      'orders',
      numbered('o', 3, () => 'k'),
    );
    await transport.subscribe(['orders'], b.handler, { group: 'b' });
    await settled();
    expect([a.ids, b.ids]).toEqual([
      ['o0', 'o1', 'o2'],
      ['o0', 'o1', 'o2'],
    ]);
    expect(a.deliveries[0]).toMatchObject({ topic: 'orders', attempt: 1, position: '0' });
  });

  it('reads several topics in one subscription', async () => {
    const transport = create();
    const seen = recorder();
    await transport.subscribe(['orders', 'payments'], seen.handler, { group: 'a' });
    await transport.publish('orders', numbered('o', 2));
    await transport.publish('payments', numbered('p', 2));
    await settled();
    expect(seen.ids.toSorted()).toEqual(['o0', 'o1', 'p0', 'p1']);
  });

  it('keeps the message as it was published, whatever the caller changes afterwards', async () => {
    const transport = create();
    const headers: Record<string, string> = { tenant: 'a' };
    const raw = { key: new Uint8Array([1]), headers: [['x', new Uint8Array([2])] as const] };
    const original = { ...message({ id: 'm', key: 'k', body: null, raw }), headers };
    const batch: Message[] = [original];
    await transport.publish('orders', batch);
    batch.push(message());
    headers['tenant'] = 'b';
    Object.assign(original, { id: 'changed' });
    raw.headers.pop();
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'a' });
    await settled();
    expect(seen.deliveries).toHaveLength(1);
    expect(seen.deliveries[0]?.message).toMatchObject({ id: 'm', key: 'k', headers: { tenant: 'a' }, body: null });
    expect(seen.deliveries[0]?.message.raw).toEqual({
      key: new Uint8Array([1]),
      headers: [['x', new Uint8Array([2])]],
    });
  });

  it('does not copy bodies, and takes the id for the key of a message without one', async () => {
    const transport = create();
    const body = new Uint8Array([1, 2, 3]);
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'a' });
    await transport.publish('orders', [message({ id: 'm', body })]);
    await settled();
    expect(seen.deliveries[0]?.message.key).toBe('m');
    expect(seen.deliveries[0]?.message.body).toBe(body);
  });

  it('hands batches to a batch subscription', async () => {
    const transport = create();
    const sizes: number[] = [];
    await transport.subscribeBatch(
      ['orders'],
      async (batch) => {
        sizes.push(batch.length);
        return batch.map(() => ({ ok: true }) as const);
      },
      { group: 'a', size: 4, waitMs: 1 },
    );
    await transport.publish('orders', numbered('o', 10));
    await until(() => sizes.reduce((sum, size) => sum + size, 0) === 10, 'all batches');
    expect(sizes).toEqual([4, 4, 2]);
  });

  it('brings a rejected message again, one attempt higher, before the next of its key', async () => {
    const clock = createVirtualClock();
    const transport = create({ clock });
    const seen: string[] = [];
    await transport.subscribe(
      ['orders'],
      async ({ message: { id }, attempt }) => {
        seen.push(`${id}#${attempt}`);
        if (id === 'o0' && attempt < 3) throw new Error('not yet');
      },
      { group: 'a', concurrency: 4 },
    );
    await transport.publish(
      'orders',
      numbered('o', 3, (index) => (index === 2 ? 'other' : 'k')),
    );
    await clock.advance(4_000);
    expect(seen).toEqual(['o0#1', 'o2#1', 'o0#2', 'o0#3', 'o1#1']);
  });

  it('gives an exhausted message to the hook and goes on, and consumes the topics that middleware adds', async () => {
    const clock = createVirtualClock();
    const transport = create({ clock });
    const seen: string[] = [];
    await transport.subscribe(
      ['orders'],
      async ({ topic, message: { id } }) => {
        seen.push(`${topic}/${id}`);
        if (topic === 'orders' && id === 'o0') throw new Error('poison');
      },
      {
        group: 'a',
        startPosition: 'latest',
        maxHoldMs: 100,
        use: [
          (next, subscription) => {
            if (subscription.topic === 'orders') {
              subscription.alsoConsume('orders-retry');
              subscription.ensureTopic('orders-retry', { subscription: 'a' });
              subscription.onExhausted(({ message: exhausted }) =>
                subscription.publisher.publish('orders-retry', [exhausted]),
              );
            }
            return next;
          },
        ],
      },
    );
    await transport.publish(
      'orders',
      numbered('o', 2, () => 'k'),
    );
    await clock.advance(1_000);
    expect(seen.filter((entry) => entry !== 'orders/o0').toSorted()).toEqual(['orders-retry/o0', 'orders/o1']);
  });
});

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

const at = (time: number): Record<string, string> => ({ [headerNames.deliverAt]: String(time) });

describe('delay', () => {
  it('holds a message back until it is due and lets the others pass', async () => {
    const clock = createVirtualClock(1_000);
    const transport = create({ clock });
    const { handler, ids } = recorder();
    await transport.subscribe(['orders'], handler, { group: 'g' });
    await transport.publish('orders', [
      message({ id: 'late', key: 'k', headers: at(3_000) }),
      message({ id: 'soon', key: 'k', headers: at(2_000) }),
      message({ id: 'now', key: 'k' }),
      message({ id: 'past', key: 'k', headers: at(500) }),
    ]);
    await clock.advance(999);
    expect(ids).toEqual(['now', 'past']);
    await clock.advance(1);
    expect(ids).toEqual(['now', 'past', 'soon']);
    await clock.advance(1_000);
    expect(ids).toEqual(['now', 'past', 'soon', 'late']);
  });

  it('keeps what is not due over a close of the group', async () => {
    const clock = createVirtualClock(1_000);
    const transport = create({ clock });
    const first = await transport.subscribe(['orders'], recorder().handler, { group: 'g' });
    await transport.publish('orders', [message({ id: 'late', headers: at(2_000) })]);
    await first.close();
    await clock.advance(5_000);
    const { handler, ids } = recorder();
    await transport.subscribe(['orders'], handler, { group: 'g' });
    await settled();
    expect(ids).toEqual(['late']);
  });

  it('refuses a due time that is no number', async () => {
    const transport = create();
    for (const header of ['tomorrow', '', 'NaN', 'Infinity'])
      expect(
        await codeOf(transport.publish('orders', [message({ headers: { [headerNames.deliverAt]: header } })])),
      ).toBe('CONFIGURATION');
  });
});

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
    const late = ['d0', 'd1', 'd2'].map((id) => message({ id, headers: at(500) }));
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

describe('bad input', () => {
  it('refuses options with every fault in one error', () => {
    expect(() => createInProcessTransport({ name: '', retention: 0.5, publishTimeoutMs: -1 })).toThrow(
      /name must.*retention must.*publishTimeoutMs must/,
    );
  });

  it('refuses names that are none, and messages without an id', async () => {
    const transport = create();
    const { handler } = recorder();
    for (const name of ['', ' ', '\uD800', 5 as unknown as string]) {
      expect(await codeOf(transport.publish(name, [message()]))).toBe('CONFIGURATION');
      expect(await codeOf(transport.subscribe([name], handler, { group: 'g' }))).toBe('CONFIGURATION');
      expect(await codeOf(transport.subscribe(['orders'], handler, { group: name }))).toBe('CONFIGURATION');
      expect(await codeOf(transport.openCheckpointed(name, { topics: ['orders'] }))).toBe('CONFIGURATION');
      expect(await codeOf(transport.openCheckpointed('log', { topics: [name] }))).toBe('CONFIGURATION');
    }
    expect(await codeOf(transport.publish('orders', [message({ id: '' })]))).toBe('CONFIGURATION');
    expect(await codeOf(transport.subscribe([], handler, { group: 'g' }))).toBe('CONFIGURATION');
  });

  it('stores nothing of a publish with a fault in it', async () => {
    const transport = create();
    const { handler, ids } = recorder();
    await transport.subscribe(['orders'], handler, { group: 'g' });
    expect(await codeOf(transport.publish('orders', [message(), message({ id: '' })]))).toBe('CONFIGURATION');
    await settled();
    expect(ids).toEqual([]);
  });
});

describe('closing', () => {
  it('waits for handlers, then refuses everything; closing again is the same', async () => {
    const transport = createInProcessTransport();
    const keeper = gatekeeper();
    const subscription = await transport.subscribe(['orders'], keeper.handler, { group: 'g' });
    await transport.publish(
      'orders',
      numbered('o', 2, () => 'k'),
    );
    await settled();
    let closed = false;
    const closing = transport.close().then(() => (closed = true));
    expect(transport.close()).toBe(transport.close());
    await settled();
    expect(closed).toBe(false);
    keeper.letGo('o0');
    await closing;
    await subscription.closed;
    expect(keeper.started).toEqual(['o0']);
    expect(await codeOf(transport.publish('orders', [message()]))).toBe('CLOSED');
    expect(await codeOf(transport.subscribe(['orders'], keeper.handler, { group: 'g' }))).toBe('CLOSED');
    expect(await codeOf(transport.openCheckpointed('log', { topics: ['orders'] }))).toBe('CLOSED');
  });

  it('lets a handler publish while it drains', async () => {
    const transport = createInProcessTransport();
    let outcome: unknown;
    const keeper = gatekeeper();
    await transport.subscribe(
      ['orders'],
      async (delivery, signal) => {
        await keeper.handler(delivery, signal);
        outcome = await codeOf(transport.publish('done', [message()]));
      },
      { group: 'g' },
    );
    await transport.publish('orders', numbered('o', 1));
    await settled();
    const closing = transport.close();
    await settled();
    keeper.letGo('o0');
    await closing;
    expect(outcome).toBe('no error');
  });

  it('aborts handlers that take longer than the drain', async () => {
    const clock = createVirtualClock();
    const transport = createInProcessTransport({ clock });
    const keeper = gatekeeper();
    await transport.subscribe(['orders'], keeper.handler, { group: 'g', drainMs: 200 });
    await transport.publish('orders', numbered('o', 1));
    await settled();
    const closing = transport.close();
    await clock.advance(199);
    expect(keeper.signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    await closing;
    expect(keeper.signals[0]?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is safe while subscriptions are being made', async () => {
    for (let round = 0; round < 20; round++) {
      const transport = createInProcessTransport();
      const { handler } = recorder();
      const subscribing = Array.from({ length: 5 }, (_, index) =>
        transport.subscribe(['orders'], handler, { group: `g${index}` }),
      );
      for (let hop = 0; hop < round % 4; hop++) await Promise.resolve();
      await transport.close();
      const outcomes = await Promise.all(
        subscribing.map((one) => codeOf(one.then((subscription) => subscription.closed))),
      );
      expect(['CLOSED', 'no error']).toEqual(expect.arrayContaining(outcomes));
    }
  });

  it('ends publishes that wait for room', async () => {
    const transport = createInProcessTransport({ retention: 1 });
    await transport.subscribe(['orders'], recorder().handler, {
      group: 'g',
      use: [
        (next, subscription) => {
          subscription.ensureTopic('full', { subscription: 'nobody' });
          return next;
        },
      ],
    });
    const waiting = codeOf(transport.publish('full', numbered('o', 2)));
    await settled();
    await transport.close();
    expect(await waiting).toBe('CLOSED');
  });

  it('runs what middleware registered for the end, once the handlers have finished', async () => {
    const transport = create();
    const steps: string[] = [];
    const keeper = gatekeeper();
    const subscription = await transport.subscribe(['orders'], keeper.handler, {
      group: 'g',
      use: [
        (next, context) => {
          context.onClose(async () => void steps.push(`closed after ${keeper.done.length}`));
          return next;
        },
      ],
    });
    await transport.publish('orders', numbered('o', 1));
    await settled();
    const closing = subscription.close();
    keeper.letGo('o0');
    await closing;
    expect(steps).toEqual(['closed after 1']);
  });
});
