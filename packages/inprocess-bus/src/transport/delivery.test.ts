import { headerNames, type Message } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  closeTransports,
  codeOf,
  create,
  dueAt,
  message,
  numbered,
  recorder,
  settled,
  until,
} from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';

afterEach(closeTransports);

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

describe('delay', () => {
  it('holds a message back until it is due and lets the others pass', async () => {
    const clock = createVirtualClock(1_000);
    const transport = create({ clock });
    const { handler, ids } = recorder();
    await transport.subscribe(['orders'], handler, { group: 'g' });
    await transport.publish('orders', [
      message({ id: 'late', key: 'k', headers: dueAt(3_000) }),
      message({ id: 'soon', key: 'k', headers: dueAt(2_000) }),
      message({ id: 'now', key: 'k' }),
      message({ id: 'past', key: 'k', headers: dueAt(500) }),
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
    await transport.publish('orders', [message({ id: 'late', headers: dueAt(2_000) })]);
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
