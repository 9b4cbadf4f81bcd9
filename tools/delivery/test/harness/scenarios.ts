import assert from 'node:assert/strict';
import { createJsonCodec } from '@bento-bus/codecs';
import { createHarness, type HarnessClock, type TestHarness } from '@bento-bus/conformance/harness';
import { createMessageBus, defineEvents, type MessageBus, type Transport } from '@bento-bus/core';
import { createMemoryIdempotencyStore, idempotent, retry, retryTopic } from '@bento-bus/dlq';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { messageOf, textOf } from '../support/messages.ts';

/** Where the scenarios run. */
export interface HarnessBackend {
  /** A transport for one test, and the clock that it was given. */
  readonly open: () => Promise<{ readonly transport: Transport; readonly clock?: HarnessClock }>;
  readonly topic: () => string;
  /** How long anything may take on a busy machine. Milliseconds. */
  readonly timeoutMs: number;
}

const codec = createJsonCodec();
const copy = (key: string) => ({ ...messageOf(key, 'copy'), id: 'same' });
const quick = { baseMs: 10, capMs: 20 };

function eventsOf(topic: string) {
  return {
    ...defineEvents({ topic }, { 'order.placed': { version: 1, schema: z.object({ orderId: z.string() }) } }),
    ...defineEvents(
      { topic: `${topic}-invoices` },
      { 'invoice.sent': { version: 1, schema: z.object({ orderId: z.string() }) } },
    ),
  };
}

/** What a user's tests would say; the same on every backend. */
export function harnessScenarios({ open, topic, timeoutMs }: HarnessBackend): void {
  const begin = async (): Promise<{ readonly harness: TestHarness; readonly bus: MessageBus }> => {
    const harness = createHarness({ ...(await open()), codec, timeoutMs });
    return { harness, bus: createMessageBus({ transport: harness.transport, codec, source: '/shop' }) };
  };

  it('waits until all is handled, by every group, with what handlers publish meanwhile', async () => {
    const { harness, bus } = await begin();
    const events = eventsOf(topic());
    const sent: string[] = [];
    await bus.subscribe(
      [events['order.placed']],
      ({ data }, cause) => bus.publish(events['invoice.sent'], data, { cause }),
      { group: 'billing' },
    );
    await bus.subscribe([events['order.placed']], () => {}, { group: 'stock' });
    await bus.subscribe([events['invoice.sent']], ({ data }) => void sent.push(data.orderId), { group: 'mail' });
    for (const orderId of ['o-1', 'o-2']) await bus.publish(events['order.placed'], { orderId });
    await harness.allHandled();

    expect(sent.toSorted()).toEqual(['o-1', 'o-2']);
    expect(harness.published.ofType('order.placed')).toHaveLength(2);
    expect(await harness.published.ofType(events['order.placed']).bodies()).toEqual([
      { orderId: 'o-1' },
      { orderId: 'o-2' },
    ]);
    expect(harness.published.ofType(events['invoice.sent'])).toHaveLength(2);
    expect(harness.consumed.map(({ group }) => String(group)).toSorted()).toEqual([
      'billing',
      'billing',
      'mail',
      'mail',
      'stock',
      'stock',
    ]);
    expect([harness.retried, harness.deadLettered, harness.failed].map(({ length }) => length)).toEqual([0, 0, 0]);
    await bus.close();
  });

  it('follows a message through retries in place, a delayed one and the dead letters', async () => {
    const { harness, bus } = await begin();
    const events = eventsOf(topic());
    const { topic: orders } = events['order.placed'];
    await bus.subscribe(
      [events['order.placed']],
      ({ data }) => {
        if (data.orderId === 'poison') throw new Error('no price');
      },
      { group: 'billing', use: [retry({ attempts: 2, backoff: quick, delays: [400] })] },
    );
    await bus.publish(events['order.placed'], { orderId: 'poison' }, { id: 'p-1', key: 'k' });
    await bus.publish(events['order.placed'], { orderId: 'fine' }, { id: 'f-1' });
    await harness.allHandled();

    expect(harness.consumed.ids).toEqual(['f-1']);
    expect(harness.failed.map(({ id, attempt, error }) => [id, attempt, (error as Error).message])).toEqual([
      ['p-1', 1, 'no price'],
      ['p-1', 2, 'no price'],
      ['p-1', 3, 'no price'],
    ]);
    expect(harness.retried).toMatchObject([
      { id: 'p-1', topic: orders, group: 'billing', attempt: 1, key: 'k' },
      { id: 'p-1', topic: `${orders}-billing-RETRY`, group: 'billing', attempt: 2, error: 'no price' },
    ]);
    expect(harness.deadLettered).toMatchObject([
      {
        id: 'p-1',
        type: 'order.placed',
        topic: `${orders}-billing-DLQ`,
        group: 'billing',
        attempt: 3,
        error: 'no price',
      },
    ]);
    expect(await harness.deadLettered.bodies()).toEqual([{ orderId: 'poison' }]);
    const [, second, third] = harness.failed;
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(399);
    await bus.close();
  });

  it('waits for what is delayed', async () => {
    const { harness, bus } = await begin();
    const orders = topic();
    await bus.subscribe(orders, () => {}, { group: 'billing' });
    await bus.publish(orders, 'later', { delayMs: 1_500, type: 'later' });
    await bus.publish(orders, 'now', { type: 'now' });
    await harness.allHandled();
    expect(harness.consumed.map(({ type }) => type).toSorted()).toEqual(['later', 'now']);
    await bus.close();
  });

  it('counts what was published before a group that begins at the beginning', async () => {
    const { harness, bus } = await begin();
    const orders = topic();
    await bus.publish(orders, 'early', { id: 'early' });
    await harness.allHandled();
    expect(harness.consumed).toHaveLength(0);
    await bus.subscribe(orders, () => {}, { group: 'a' });
    await bus.subscribe(orders, () => {}, { group: 'b', startPosition: 'latest' });
    await bus.publish(orders, 'late', { id: 'late' });
    await harness.allHandled();
    const idsOf = (name: string): string[] =>
      harness.consumed.filter(({ group }) => group === name).map(({ id }) => id);
    expect(idsOf('a').toSorted()).toEqual(['early', 'late']);
    expect(idsOf('b')).toEqual(['late']);
    await bus.close();
  });

  it('sees copies dropped by the idempotency middleware as handled, and not as consumed', async () => {
    const { harness, bus } = await begin();
    const orders = topic();
    const store = createMemoryIdempotencyStore();
    await bus.subscribe(orders, () => {}, { group: 'billing', use: [retry(), idempotent({ store })] });
    for (const key of ['a', 'b', 'c']) await bus.publish(orders, 1, { id: 'same', key });
    await bus.publish(orders, 2, { id: 'other' });
    await harness.allHandled();
    expect(harness.published.ids).toEqual(['same', 'same', 'same', 'other']);
    expect(harness.consumed.ids.toSorted()).toEqual(['other', 'same']);
    await bus.close();
  });

  it('sees a redriven message handled once, although a copy of it comes again', async () => {
    const { harness, bus } = await begin();
    const orders = topic();
    let mended = false;
    await bus.subscribe(
      orders,
      () => {
        if (!mended) throw new Error('no price');
      },
      {
        group: 'billing',
        use: [retry({ attempts: 1 }), idempotent({ store: createMemoryIdempotencyStore() })],
      },
    );
    await bus.publish(orders, 1, { id: 'p-1' });
    await harness.allHandled();
    const [letter] = harness.deadLettered;
    assert.ok(letter);
    mended = true;
    // What a redrive does that was killed and run again.
    for (let run = 0; run < 2; run += 1)
      await harness.transport.publish(retryTopic(orders, 'billing'), [letter.message]);
    await harness.allHandled();
    expect(harness.consumed.ids).toEqual(['p-1']);
    expect([harness.failed, harness.retried, harness.deadLettered].map(({ length }) => length)).toEqual([1, 2, 1]);
    await bus.close();
  });

  it('records the messages of a batch one by one', async () => {
    const { harness } = await begin();
    const orders = topic();
    let failures = 1;
    await harness.transport.subscribeBatch(
      [orders],
      async (batch) =>
        batch.map((delivery) =>
          textOf(delivery) === 'b' && failures-- > 0 ? { ok: false, error: new Error('not yet') } : { ok: true },
        ),
      { group: 'billing', size: 10, waitMs: 50 },
    );
    const messages = ['a', 'b', 'c'].map((text) => messageOf(text, text));
    await harness.transport.publish(orders, messages);
    await harness.allHandled();
    expect(harness.consumed.ids.toSorted()).toEqual(messages.map(({ id }) => id).toSorted());
    expect(harness.failed.ids).toEqual([messages[1]?.id]);
    expect(harness.retried.ids).toEqual([messages[1]?.id]);
  });

  it('drops the copies within a batch', async () => {
    const { harness } = await begin();
    const orders = topic();
    const handled: string[] = [];
    await harness.transport.subscribeBatch(
      [orders],
      async (batch) => {
        handled.push(...batch.map(textOf));
        return batch.map(() => ({ ok: true }));
      },
      {
        group: 'billing',
        size: 10,
        waitMs: 50,
        concurrency: 2,
        use: [retry(), idempotent({ store: createMemoryIdempotencyStore() })],
      },
    );
    await harness.transport.publish(orders, [copy('a'), messageOf('a', 'other'), copy('b'), copy('a')]);
    await harness.allHandled();
    expect(handled.toSorted()).toEqual(['copy', 'other']);
    expect(harness.failed).toHaveLength(0);
  });

  it('says what is pending when it waits in vain', async () => {
    const { harness, bus } = await begin();
    const orders = topic();
    let mended = false;
    await bus.subscribe(
      orders,
      () => {
        if (!mended) throw new Error('no price');
      },
      { group: 'billing' },
    );
    await bus.publish(orders, 1, { id: 'p-1', key: 'k', type: 'order.placed' });
    await bus.publish(orders, 1, { id: 'p-2', key: 'k', type: 'order.placed' });
    await harness.waitFor(({ retried }) => retried.length > 1);
    const late = harness.allHandled({ timeoutMs: 300 });
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT', cause: { message: 'no price' } });
    await expect(late).rejects.toThrow(
      new RegExp(`order.placed "p-1" on "${orders}" for group "billing" \\(attempts: \\d+, last error: no price\\)`),
    );
    await expect(late).rejects.toThrow(/"p-2" on .* \(not delivered\)/);
    mended = true;
    await harness.allHandled();
    expect(harness.consumed.ids).toEqual(['p-1', 'p-2']);
    harness.reset();
    expect([harness.published, harness.consumed, harness.failed, harness.retried].flat()).toEqual([]);
    await bus.publish(orders, 2, { id: 'p-3' });
    await harness.allHandled();
    expect(harness.consumed.ids).toEqual(['p-3']);
    await bus.close();
  });
}
