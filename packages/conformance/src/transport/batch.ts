import assert from 'node:assert/strict';
import type { BatchHandler, Delivery, Outcome } from '@bento-bus/core';
import { aborted } from '../gate.ts';
import { assertSameIds } from '../same-ids.ts';
import { scenario, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

const ok: Outcome = { ok: true };
const failure: Outcome = { ok: false, error: new Error('fails') };
const idOf = ({ message }: Delivery): string => message.id;
const keyOf = ({ message }: Delivery): string => message.key ?? message.id;

/** Hands each item of a batch to the recorder's handler with `act`, so that items count as calls; one outcome an item. */
const itemwise =
  (recorder: Recorder, act?: (delivery: Delivery) => unknown): BatchHandler =>
  (batch, signal) => {
    const handler = recorder.handler(act);
    return Promise.all(
      batch.map((delivery) =>
        handler(delivery, signal).then(
          () => ok,
          (error: unknown): Outcome => ({ ok: false, error }),
        ),
      ),
    );
  };

export const batchScenarios: readonly TransportScenario[] = [
  scenario('hands over batches no larger than their size, each message once, keys in order', [], async (c) => {
    const topic = await c.topic();
    const batches: (readonly Delivery[])[] = [];
    const handler: BatchHandler = async (batch) => {
      batches.push([...batch]);
      return batch.map(() => ok);
    };
    await c.subscribeBatch(topic, handler, { size: 10, waitMs: 20 });
    const messages = c.messages(105, 7);
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => batches.flat().length >= messages.length);
    assertSameIds(
      batches.flat().map(idOf),
      messages.map(({ id }) => id),
      'handled in batches',
    );
    const sizes = batches.map(({ length }) => length);
    assert.ok(Math.max(...sizes) <= 10, `a batch of ${Math.max(...sizes)}, allowed are 10`);
    assert.ok(Math.min(...sizes) > 0, 'an empty batch');
    if (c.harness.capabilities.ordering === 'none') return;
    for (let key = 0; key < 7; key += 1) {
      const ids = batches
        .flat()
        .filter((delivery) => keyOf(delivery) === `k${key}`)
        .map(idOf);
      assert.deepEqual(
        ids,
        messages.filter((message) => message.key === `k${key}`).map(({ id }) => id),
      );
    }
  }),

  scenario('hands over a batch that is not full after its wait', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribeBatch(topic, itemwise(recorder), { size: 1_000, waitMs: 20 });
    const messages = c.messages(3, 3);
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
  }),

  scenario('works on no more batches at once than its concurrency', [], async (c) => {
    const topic = await c.topic();
    const gate = c.gate();
    let running = 0;
    let handled = 0;
    const handler: BatchHandler = async (batch) => {
      running += 1;
      await gate.opened;
      running -= 1;
      handled += batch.length;
      return batch.map(() => ok);
    };
    await c.subscribeBatch(topic, handler, { size: 2, waitMs: 1, concurrency: 2 });
    const messages = c.messages(12, 12);
    await c.transport.publish(topic, messages);
    await c.eventually('2 batches at work', () => running >= 2);
    await c.quiet('no more than 2 batches at work', () => running <= 2);
    gate.open();
    await c.eventually('handling all messages', () => handled === messages.length);
  }),

  scenario('delivers of a batch only the failed items again', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const messages = c.messages(12, 12);
    const failing = new Set(messages.filter((_, index) => index % 4 === 1).map(({ id }) => id));
    const handler = itemwise(recorder, ({ message, attempt }) => {
      if (failing.has(message.id) && attempt < 3) throw new Error(`fails ${attempt}`);
    });
    await c.subscribeBatch(topic, handler, { size: 12, waitMs: 20, maxHoldMs: 600_000 });
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    await c.assertNothingElse(
      topic,
      recorder,
      messages.map(({ key }) => key as string),
    );
    for (const message of messages)
      assert.deepEqual(
        recorder.of(message).map(({ delivery }) => delivery.attempt),
        failing.has(message.id) ? [1, 2, 3] : [1],
      );
  }),

  scenario('counts items behind a failed one of their key as not handled', ['ordering'], async (c) => {
    const topic = await c.topic();
    const batches: (readonly string[])[] = [];
    const messages = c.messages(20, 2);
    const failed = new Set<string>();
    // Says that all but the first item of k0 are well: those of k0 behind it must come again nevertheless.
    const handler: BatchHandler = async (batch) => {
      batches.push(batch.map(idOf));
      const first = batch.find(
        (delivery) => keyOf(delivery) === 'k0' && messages.some(({ id }) => id === idOf(delivery)),
      );
      if (first === undefined || failed.size > 0) return batch.map(() => ok);
      failed.add(idOf(first));
      return batch.map((delivery) => (delivery === first ? failure : ok));
    };
    await c.subscribeBatch(topic, handler, { size: 20, waitMs: 50, maxHoldMs: 600_000 });
    await c.transport.publish(topic, messages);
    const k0 = messages.filter(({ key }) => key === 'k0').map(({ id }) => id);
    const afterFailure = (): string[] => {
      const first = batches.findIndex((batch) => batch.some((id) => failed.has(id)));
      return batches.slice(first + 1).flat();
    };
    await c.eventually(
      'handling all of the key that failed',
      () => failed.size > 0 && k0.every((id) => afterFailure().includes(id)),
    );
    const last = [c.message({ key: 'k0' }), c.message({ key: 'k1' })];
    await c.transport.publish(topic, last);
    await c.eventually('handling the last messages', () => last.every(({ id }) => batches.flat().includes(id)));
    assert.deepEqual(
      afterFailure().filter((id) => k0.includes(id)),
      k0,
      'of the key that failed, everything comes again, in order',
    );
    const k1 = messages.filter(({ key }) => key === 'k1').map(({ id }) => id);
    assertSameIds(
      batches.flat().filter((id) => k1.includes(id)),
      k1,
      'handled of the other key',
    );
  }),

  scenario('fails the whole batch when its outcomes are not one a delivery', [], async (c) => {
    const wrong: ((batch: readonly Delivery[]) => readonly Outcome[])[] = [
      () => [],
      (batch) => batch.slice(1).map(() => ok),
      (batch) => [...batch, 'extra'].map(() => ok),
      () => {
        throw new Error('thrown at once');
      },
      () => undefined as never,
    ];
    for (const outcomes of wrong) {
      const topic = await c.topic();
      const recorder = new Recorder();
      const messages = c.messages(3, 3);
      const handler: BatchHandler = async (batch, signal) => {
        const given = await itemwise(recorder)(batch, signal);
        return batch.some(({ attempt }) => attempt === 1) ? outcomes(batch) : given;
      };
      const subscription = await c.subscribeBatch(topic, handler, { size: 3, waitMs: 20, maxHoldMs: 600_000 });
      await c.transport.publish(topic, messages);
      await c.eventually('handling each message twice', () =>
        messages.every((message) => recorder.of(message).length > 1),
      );
      await c.within('closing the subscription', subscription.close());
    }
  }),

  scenario('closing waits for the batch at work; past the deadline nothing of it is acknowledged', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const first = new Recorder();
    const messages = c.messages(4, 4);
    const patient = await c.subscribeBatch(
      topic,
      itemwise(first, (delivery) =>
        idOf(delivery) === messages[0]?.id ? undefined : Promise.reject(new Error('not now')),
      ),
      { group, size: 1, waitMs: 1, maxHoldMs: 600_000 },
    );
    await c.transport.publish(topic, messages);
    await c.eventually('one item handled', () => first.ids.length === 1);
    await c.within('closing the subscription', patient.close());
    const hasty = await c.subscribeBatch(
      topic,
      async (batch, signal) => {
        await aborted(signal);
        return batch.map(() => ok);
      },
      { group, size: 10, waitMs: 1, drainMs: 1 },
    );
    await c.within('closing the subscription', hasty.close());
    const recorder = new Recorder();
    await c.subscribeBatch(topic, itemwise(recorder), { group, size: 10, waitMs: 20 });
    await c.eventually('handling what was left', () => recorder.hasAll(messages.slice(1)));
    assert.ok(!recorder.has(messages[0] as { id: string }), 'what was acknowledged came again');
  }),
];
