import assert from 'node:assert/strict';
import type { Delivery, Middleware } from '@bento-bus/core';
import { scenario, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

interface Taken {
  readonly delivery: Delivery;
  readonly reason: unknown;
}

/** Middleware with a hook that records what it is given. */
function hook(act: (delivery: Delivery) => unknown = () => {}): {
  readonly taken: Taken[];
  readonly use: Middleware[];
} {
  const taken: Taken[] = [];
  const middleware: Middleware = (next, subscription) => {
    subscription.onExhausted(async (delivery, reason) => {
      taken.push({ delivery, reason });
      await act(delivery);
    });
    return next;
  };
  return { taken, use: [middleware] };
}

export const exhaustedScenarios: readonly TransportScenario[] = [
  scenario(
    'gives a poison message to the hook at the end of its hold; then its lane moves on',
    ['ordering'],
    async (c) => {
      const topic = await c.topic();
      const group = c.group();
      const recorder = new Recorder();
      const gate = c.gate();
      const { taken, use } = hook(() => gate.opened);
      const [poison, next] = c.messages(2, 1);
      assert.ok(poison && next);
      const reason = new Error('poison');
      const handler = recorder.handler(({ message }) => {
        if (message.id === poison.id) throw reason;
      });
      const subscription = await c.subscribe(topic, handler, { group, use, maxHoldMs: 50 });
      await c.transport.publish(topic, [poison, next]);
      await c.eventually('giving the message to the hook', () => taken.length > 0);
      await c.quiet('the lane waits for the hook', () => recorder.of(next).length === 0);
      gate.open();
      await c.eventually('handling the next message', () => recorder.has(next));
      assert.equal(taken.length, 1, 'calls of the hook');
      assert.equal(taken[0]?.delivery.message.id, poison.id);
      assert.equal(taken[0].reason, reason, 'the hook gets what the handler threw');
      const attempts = recorder.of(poison).map(({ delivery }) => delivery.attempt);
      assert.deepEqual(
        attempts,
        attempts.map((_, index) => index + 1),
      );
      // Taken is acknowledged.
      await c.within('closing the subscription', subscription.close());
      const later = new Recorder();
      await c.subscribe(topic, later.handler(), { group });
      await c.assertNothingElse(topic, later);
    },
  ),

  scenario('gives a failing message to the hook when too many wait behind it', ['ordering'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const { taken, use } = hook();
    const [poison, ...others] = c.messages(10, 1);
    assert.ok(poison);
    const handler = recorder.handler(({ message }) => {
      if (message.id === poison.id) throw new Error('poison');
    });
    await c.subscribe(topic, handler, { use, maxHoldMs: 600_000, maxLaneBacklog: 3 });
    await c.transport.publish(topic, [poison, ...others]);
    await c.eventually('handling the others', () => recorder.hasAll(others));
    assert.deepEqual(
      taken.map(({ delivery }) => delivery.message.id),
      [poison.id],
    );
    recorder.assertOrderPerKey(others);
  }),

  scenario('acknowledges nothing while the hook rejects', ['ordering'], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const recorder = new Recorder();
    const { taken, use } = hook(() => {
      throw new Error('cannot take it');
    });
    const [poison, next] = c.messages(2, 1);
    assert.ok(poison && next);
    const handler = recorder.handler(({ message }) => {
      if (message.id === poison.id) throw new Error('poison');
    });
    const subscription = await c.subscribe(topic, handler, { group, use, maxHoldMs: 20 });
    await c.transport.publish(topic, [poison, next]);
    await c.eventually('asking the hook again', () => taken.length > 1);
    assert.deepEqual(recorder.of(next), [], 'the lane went on');
    await c.within('closing the subscription', subscription.close());
    const later = new Recorder();
    await c.subscribe(topic, later.handler(), { group });
    await c.eventually('handling both messages', () => later.hasAll([poison, next]));
    later.assertOrderPerKey([poison, next]);
  }),

  scenario('holds the lane of a failing message where there is no hook, while others flow', ['ordering'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    let healed = false;
    const [poison, ...behind] = c.messages(3, 1);
    assert.ok(poison);
    const others = Array.from({ length: 30 }, (_, index) => c.message({ key: `other${index % 5}` }));
    const handler = recorder.handler(({ message }) => {
      if (message.id === poison.id && !healed) throw new Error('poison');
    });
    await c.subscribe(topic, handler, { maxHoldMs: 600_000 });
    await c.transport.publish(topic, [poison, ...behind, ...others]);
    await c.eventually('handling the other keys', () => recorder.hasAll(others));
    assert.deepEqual(
      behind.flatMap((message) => recorder.of(message)),
      [],
      'the lane went on',
    );
    healed = true;
    await c.eventually('handling what was held', () => recorder.hasAll([poison, ...behind]));
    recorder.assertOrderPerKey([poison, ...behind]);
  }),

  scenario('drops nothing at the limits of a lane where there is no hook', ['ordering'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    let healed = false;
    const messages = c.messages(20, 1);
    const handler = recorder.handler(() => {
      if (!healed) throw new Error('fails');
    });
    await c.subscribe(topic, handler, { maxHoldMs: 20, maxLaneBacklog: 2 });
    await c.transport.publish(topic, messages);
    await c.quiet('only the first message is tried', () => recorder.calls.every(({ id }) => id === messages[0]?.id));
    healed = true;
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    recorder.assertOrderPerKey(messages);
  }),
];
