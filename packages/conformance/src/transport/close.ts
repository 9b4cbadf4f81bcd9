import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { type Closeable, isBentoError } from '@bento-bus/core';
import { rejection } from '../errors.ts';
import { aborted } from '../gate.ts';
import { assertSameIds } from '../same-ids.ts';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

const assertClosesOnce = async (c: TransportContext, what: string, closeable: Closeable): Promise<void> => {
  const first = closeable.close();
  assert.equal(closeable.close(), first, `${what}: a second close returns the same promise`);
  await c.within(`closing the ${what}`, first);
  assert.equal(closeable.close(), first, `${what}: a close after the close returns the same promise`);
  await c.within(`disposing of the ${what}`, Promise.resolve(closeable[Symbol.asyncDispose]()));
};

export const closeScenarios: readonly TransportScenario[] = [
  scenario('closes once, however often it is asked to', [], async (c) => {
    const subscription = await c.subscribe(await c.topic(), new Recorder().handler());
    await assertClosesOnce(c, 'subscription', subscription);
    await c.within('the end of the subscription', subscription.closed);
    await c.subscribe(await c.topic(), new Recorder().handler());
    await assertClosesOnce(c, 'transport', c.transport);
  }),

  scenario('closing a subscription waits for its handlers and acknowledges what they finish', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const recorder = new Recorder();
    const gate = c.gate();
    const options = { group, concurrency: 2, drainMs: 600_000 };
    const subscription = await c.subscribe(
      topic,
      recorder.handler(() => gate.opened),
      options,
    );
    const messages = c.messages(2, 2);
    await c.transport.publish(topic, messages);
    await c.eventually('both handlers at work', () => recorder.running === 2);
    let closed = false;
    const closing = subscription.close().finally(() => {
      closed = true;
    });
    await c.quiet('the subscription is not closed while its handlers are at work', () => !closed);
    gate.open();
    await c.within('closing the subscription', closing);
    await c.within('the end of the subscription', subscription.closed);
    assert.equal(recorder.handled.length, 2);
    const next = new Recorder();
    await c.subscribe(topic, next.handler(), { group });
    await c.assertNothingElse(topic, next, ['k0', 'k1']);
  }),

  scenario('closing aborts the signal of handlers at the deadline, and what they held comes again', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const recorder = new Recorder();
    // It resolves, but too late: that acknowledges nothing.
    const held = recorder.handler((_, signal) => aborted(signal));
    const subscription = await c.subscribe(topic, held, { group, drainMs: 20 });
    const message = c.message({ key: 'k0' });
    await c.transport.publish(topic, [message]);
    await c.eventually('the handler at work', () => recorder.running === 1);
    await c.within('closing the subscription', subscription.close());
    await c.eventually('the end of the aborted handler', () => recorder.running === 0);
    const next = new Recorder();
    await c.subscribe(topic, next.handler(), { group, on: await c.client() });
    await c.eventually('delivering again what was held', () => next.has(message));
  }),

  scenario('counts attempts on across subscriptions of a group', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const message = c.message({ key: 'k0' });
    const attempts: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const recorder = new Recorder();
      const held = recorder.handler((_, signal) => aborted(signal));
      const subscription = await c.subscribe(topic, held, { group, drainMs: 1, on: await c.client() });
      if (round === 0) await c.transport.publish(topic, [message]);
      await c.eventually('the handler at work', () => recorder.calls.length === 1);
      attempts.push(recorder.calls[0]?.delivery.attempt ?? 0);
      await c.within('closing the subscription', subscription.close());
    }
    assert.deepEqual(attempts, [1, 2, 3]);
  }),

  scenario('delivers nothing to a closed subscription', [], async (c) => {
    const topic = await c.topic();
    const closed = new Recorder();
    const open = new Recorder();
    const subscription = await c.subscribe(topic, closed.handler());
    await c.subscribe(topic, open.handler());
    await c.within('closing the subscription', subscription.close());
    const messages = c.messages(10, 2);
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages in the other group', () => open.hasAll(messages));
    await c.quiet('no delivery', () => closed.calls.length === 0);
  }),

  scenario('closes while a message is failing, which comes again', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const failing = new Recorder();
    const handler = failing.handler(() => {
      throw new Error('fails');
    });
    const subscription = await c.subscribe(topic, handler, { group, maxHoldMs: 600_000 });
    const messages = c.messages(3, 1);
    await c.transport.publish(topic, messages);
    await c.eventually('two attempts', () => failing.calls.length > 1);
    await c.within('closing the subscription', subscription.close());
    const calls = failing.calls.length;
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler(), { group });
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    assert.equal(failing.calls.length, calls, 'the closed subscription went on');
    if (c.harness.capabilities.ordering === 'key') recorder.assertOrderPerKey(messages);
  }),

  scenario('closing the transport closes its subscriptions, which finish what is at work', [], async (c) => {
    const topics = [await c.topic(), await c.topic()];
    const recorder = new Recorder();
    const gate = c.gate();
    const subscriptions = await Promise.all(
      topics.map((topic) =>
        c.subscribe(
          topic,
          recorder.handler(() => gate.opened),
          { drainMs: 600_000 },
        ),
      ),
    );
    for (const topic of topics) await c.transport.publish(topic, c.messages(1, 1));
    await c.eventually('both handlers at work', () => recorder.running === 2);
    let closed = false;
    const closing = c.transport.close().finally(() => {
      closed = true;
    });
    await c.quiet('the transport is not closed while handlers are at work', () => !closed);
    gate.open();
    await c.within('closing the transport', closing);
    assert.equal(recorder.handled.length, 2);
    await c.within('the end of the subscriptions', Promise.all(subscriptions.map((one) => one.closed)));
  }),

  scenario('refuses to publish and to subscribe after close with CLOSED', [], async (c) => {
    const topic = await c.topic();
    await c.within('closing the transport', c.transport.close());
    const { transport } = c;
    const group = c.group();
    const batch = { group, size: 1, waitMs: 1 };
    await rejection('publish after close', transport.publish(topic, c.messages(1, 1)), 'CLOSED');
    await rejection(
      'subscribe after close',
      transport.subscribe([topic], async () => {}, { group }),
      'CLOSED',
    );
    await rejection(
      'subscribeBatch after close',
      transport.subscribeBatch([topic], async () => [], batch),
      'CLOSED',
    );
  }),

  scenario('settles every publish that a close meets, and keeps what it confirmed', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    if (c.harness.clients !== 'one') await c.subscribe(topic, recorder.handler(), { on: await c.client() });
    const messages = c.messages(30, 5);
    const publishes = messages.map((message) => c.transport.publish(topic, [message]));
    const outcomes = Promise.allSettled(publishes);
    await c.within('closing the transport', c.transport.close());
    const confirmed: string[] = [];
    for (const [index, outcome] of (await c.within('settling the publishes', outcomes)).entries()) {
      if (outcome.status === 'fulfilled') confirmed.push(messages[index]?.id as string);
      else assert.ok(isBentoError(outcome.reason), `a publish was rejected with ${String(outcome.reason)}`);
    }
    if (c.harness.clients === 'one') return;
    await c.eventually('delivering what was confirmed', () => confirmed.every((id) => recorder.ids.includes(id)));
  }),

  scenario('survives subscribing and closing at once', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const recorder = new Recorder();
    const messages = c.messages(60, 6);
    const comeAndGo = async (turns: number): Promise<void> => {
      const subscription = await c.subscribe(topic, recorder.handler(), { group, concurrency: 2 });
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      await c.within('closing the subscription', subscription.close());
    };
    await Promise.all([
      ...Array.from({ length: 8 }, (_, index) => comeAndGo(index)),
      ...messages.map((message) => c.transport.publish(topic, [message])),
    ]);
    await c.subscribe(topic, recorder.handler(), { group, concurrency: 2 });
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    assertSameIds(
      [...new Set(recorder.ids)],
      messages.map(({ id }) => id),
      'handled',
    );
  }),

  scenario('settles a subscribe that meets the close of its transport', [], async (c) => {
    const topic = await c.topic();
    const subscribing = [1, 2, 3].map(() => c.transport.subscribe([topic], async () => {}, { group: c.group() }));
    const outcomes = Promise.allSettled(subscribing);
    await c.within('closing the transport', c.transport.close());
    for (const outcome of await c.within('settling the subscribes', outcomes)) {
      if (outcome.status === 'fulfilled') await c.within('the end of the subscription', outcome.value.closed);
      else assert.ok(isBentoError(outcome.reason, 'CLOSED'), `it was rejected with ${String(outcome.reason)}`);
    }
  }),
];
