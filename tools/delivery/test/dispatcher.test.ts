import { createJsonCodec } from '@bento-bus/codecs';
import { createMessageBus, type Delivery, defineEvents, type Outcome } from '@bento-bus/core';
import { createDispatcher, type UnknownPolicy } from '@bento-bus/dispatcher';
import { deadLetterTopic, retry, retryTopic } from '@bento-bus/dlq';
import { createInProcessTransport, createVirtualClock } from '@bento-bus/inprocess-bus';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const { 'order.placed': placed, 'order.shipped': shipped } = defineEvents(
  { topic: 'orders' },
  {
    'order.placed': {
      version: 1,
      schema: z.object({ orderId: z.string() }),
      key: ({ orderId }) => orderId.slice(0, 1),
    },
    'order.shipped': {
      version: 1,
      schema: z.object({ orderId: z.string() }),
      key: ({ orderId }) => orderId.slice(0, 1),
    },
  },
);
const group = 'mail';

/** A bus in process whose time only the test moves, and the topics beside `orders` as they fill. */
async function rig() {
  const clock = createVirtualClock();
  const transport = createInProcessTransport({ clock });
  const bus = createMessageBus({ transport, codec: createJsonCodec(), source: '/tests', now: () => clock.now() });
  const dead: Delivery[] = [];
  const again: Delivery[] = [];
  for (const [topic, into] of [
    [deadLetterTopic('orders', group), dead],
    [retryTopic('orders', group), again],
  ] as const)
    await transport.subscribe([topic], async (delivery) => void into.push(delivery), { group: 'spy' });
  return { clock, transport, bus, dead, again };
}

/** A dispatcher for one of two types, and one message of each under one key. */
async function start(unknown: UnknownPolicy) {
  const made = await rig();
  const seen: string[] = [];
  const subscription = await createDispatcher({ unknown })
    .on(placed, ({ data }) => void seen.push(data.orderId))
    .subscribe(made.bus, { group, use: [retry({ attempts: 2, backoff: () => 10, delays: [1_000] })] });
  await made.bus.publish(shipped, { orderId: 'a1' });
  await made.bus.publish(placed, { orderId: 'a2' });
  await made.clock.advance(5);
  return { ...made, seen, subscription };
}

describe('types that no handler of the dispatcher is for', () => {
  it('are acknowledged and counted by ignore', async () => {
    const { seen, subscription, dead, again } = await start('ignore');
    expect([seen, subscription.ignored, dead.length, again.length]).toEqual([['a2'], 1, 0, 0]);
  });

  it('hold their key by fail, are tried as every failure is, on the retry topic too, and end as one', async () => {
    const { seen, clock, subscription, dead, again } = await start('fail');
    expect(seen).toEqual([]);
    await clock.advance(10);
    expect([seen, again.length, dead.length]).toEqual([['a2'], 0, 0]);
    await clock.advance(1_010);
    expect([again.length, dead.length, subscription.ignored]).toEqual([1, 1, 0]);
    expect(dead[0]?.message).toMatchObject({
      type: 'order.shipped',
      headers: { 'bento-reason': 'exhausted', 'bento-error-code': 'HANDLER', 'bento-attempts': '3' },
    });
  });

  it('are dead letters at once by dead-letter', async () => {
    const { seen, dead, again } = await start('dead-letter');
    expect([seen, again.length]).toEqual([['a2'], 0]);
    expect(dead.map(({ message }) => message)).toMatchObject([
      {
        type: 'order.shipped',
        headers: {
          'bento-reason': 'not-retryable',
          'bento-attempts': '1',
          'bento-error': expect.stringContaining('cannot handle "order.shipped" of "orders" in group "mail"'),
        },
      },
    ]);
  });
});

describe('a dispatcher on a bus', () => {
  it('tries again only what failed, in place; a delayed try runs all', async () => {
    const { bus, clock, dead } = await rig();
    const log: string[] = [];
    await createDispatcher()
      .on(placed, (_, { attempt }) => void log.push(`a${attempt}`))
      .on(placed, async (_, { attempt }) => {
        log.push(`b${attempt}`);
        if (attempt < 4) throw new Error('not yet');
      })
      .subscribe(bus, { group, use: [retry({ attempts: 3, backoff: () => 10, delays: [1_000] })] });
    await bus.publish(placed, { orderId: 'a1' });
    await clock.advance(2_000);
    expect(log).toEqual(['a1', 'b1', 'b2', 'b3', 'a4', 'b4']);
    expect(dead).toEqual([]);
  });

  it('ends a handler at its time limit; the delivery comes again', async () => {
    const { bus, clock } = await rig();
    const log: string[] = [];
    await createDispatcher({ clock, timeoutMs: 100 })
      .on(
        placed,
        async (_, { attempt, signal }) => {
          log.push(`starts ${attempt}`);
          if (attempt === 1)
            await new Promise<void>((resolve) =>
              signal.addEventListener('abort', () => (log.push('aborts'), resolve())),
            );
        },
        { timeoutMs: 50 },
      )
      .subscribe(bus, { group, use: [retry({ backoff: () => 10 })] });
    await bus.publish(placed, { orderId: 'a1' });
    await clock.advance(49);
    expect(log).toEqual(['starts 1']);
    await clock.advance(11);
    expect(log).toEqual(['starts 1', 'aborts', 'starts 2']);
  });

  it('handles batches beside single events: outcomes, retries and order per key hold', async () => {
    const { bus, clock, dead } = await rig();
    const log: string[] = [];
    await createDispatcher({ unknown: 'fail' })
      .onBatch(placed, (batch) => {
        log.push(batch.map(({ event, context }) => `${event.data.orderId}#${context.attempt}`).join('+'));
        return batch.map(
          ({ event, context }): Outcome =>
            event.data.orderId === 'b1' && context.attempt === 1 ? { ok: false, error: new Error('no') } : { ok: true },
        );
      })
      .on(shipped, ({ data }) => void log.push(data.orderId))
      .subscribe(bus, { group, size: 3, waitMs: 5, concurrency: 1, use: [retry({ backoff: () => 100 })] });
    for (const orderId of ['a1', 'b1']) await bus.publish(placed, { orderId });
    await bus.publish(shipped, { orderId: 'b2' });
    await clock.advance(50);
    expect(log).toEqual(['a1#1+b1#1']);
    await clock.advance(200);
    expect(log).toEqual(['a1#1+b1#1', 'b1#2', 'b2']);
    expect(dead).toEqual([]);
  });

  it('serves several groups, each with a memory of its own', async () => {
    const { bus, clock } = await rig();
    const log: string[] = [];
    const dispatcher = createDispatcher()
      .on(placed, () => void log.push('a'))
      .on(placed, (_, { attempt }) => {
        log.push('b');
        if (attempt === 1) throw new Error('not yet');
      });
    const use = [retry({ backoff: () => 10 })];
    const one = await dispatcher.subscribe(bus, { group: 'one', use });
    await dispatcher.subscribe(bus, { group: 'two', use });
    await bus.publish(placed, { orderId: 'a1' });
    await clock.advance(100);
    expect(log.toSorted()).toEqual(['a', 'a', 'b', 'b', 'b', 'b']);
    await one.close();
    await one.closed;
  });
});
