import assert from 'node:assert/strict';
import type { Middleware } from '@bento-bus/core';
import { rejection } from '../errors.ts';
import { scenario, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

const taker: Middleware = (next, subscription) => {
  subscription.onExhausted(async () => {});
  return next;
};

export const middlewareScenarios: readonly TransportScenario[] = [
  scenario('builds middleware once a topic and runs it around the handler, the first outermost', [], async (c) => {
    const topics = [await c.topic(), await c.topic()];
    const group = c.group();
    const built: string[] = [];
    const trace: string[] = [];
    const named =
      (name: string): Middleware =>
      (next, subscription) => {
        built.push(`${name} ${subscription.group} ${subscription.topic} ${subscription.origin}`);
        return async (delivery, signal) => {
          trace.push(`${name} in`);
          await next(delivery, signal);
          trace.push(`${name} out`);
        };
      };
    const recorder = new Recorder();
    const handler = recorder.handler(() => trace.push('handler'));
    await c.subscribe(topics, handler, { group, use: [named('a'), named('b')] });
    const messages = c.messages(2, 1);
    for (const [index, message] of messages.entries()) {
      await c.transport.publish(topics[index] as string, [message]);
      await c.eventually('handling the message', () => recorder.has(message));
    }
    await c.eventually('the end of the middleware', () => trace.length === 10);
    const once = ['a in', 'b in', 'handler', 'b out', 'a out'];
    assert.deepEqual(trace, [...once, ...once]);
    assert.deepEqual(
      built.toSorted(),
      topics.flatMap((topic) => ['a', 'b'].map((name) => `${name} ${group} ${topic} ${topic}`)).toSorted(),
    );
  }),

  scenario('delivers again what middleware rejects, and acknowledges what it swallows', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const [refused, swallowed, plain] = c.messages(3, 1);
    assert.ok(refused && swallowed && plain);
    const attempts: number[] = [];
    const gatekeeper: Middleware = (next) => async (delivery, signal) => {
      const { message, attempt } = delivery;
      if (message.id === refused.id) attempts.push(attempt);
      if (message.id === refused.id && attempt < 3) throw new Error('refused by middleware');
      if (message.id !== swallowed.id) await next(delivery, signal);
    };
    await c.subscribe(topic, recorder.handler(), { use: [gatekeeper] });
    await c.transport.publish(topic, [refused, swallowed, plain]);
    await c.eventually('handling what passes', () => recorder.hasAll([refused, plain]));
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.deepEqual(recorder.of(swallowed), []);
    await c.assertNothingElse(topic, recorder);
  }),

  scenario('gives middleware a publisher and the state of lanes', [], async (c) => {
    const topic = await c.topic();
    const target = await c.topic();
    const copies = new Recorder();
    const recorder = new Recorder();
    const held: number[] = [];
    const messages = c.messages(4, 1);
    const copied = c.message();
    let backlog = 0;
    const copier: Middleware = (next, subscription) => async (delivery, signal) => {
      const lane = subscription.lane(delivery);
      const isFirst = delivery.message.id === messages[0]?.id;
      if (isFirst) held.push(lane.heldMs);
      if (isFirst) ({ backlog } = lane);
      await next(delivery, signal);
      if (isFirst && (lane.heldMs < 10 || backlog < 3)) throw new Error('not long enough');
      if (isFirst) await subscription.publisher.publish(target, [copied]);
    };
    await c.subscribe(target, copies.handler());
    await c.subscribe(topic, recorder.handler(), { use: [copier], maxHoldMs: 600_000 });
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages) && copies.has(copied));
    assert.equal(held[0], 0, 'a lane is not held before its first failure');
    assert.deepEqual(
      held,
      held.toSorted((a, b) => a - b),
      'the time that a lane is held grows',
    );
    assert.equal(backlog, 3, 'messages behind the failing one');
  }),

  scenario('consumes the topics that middleware adds', [], async (c) => {
    const topic = await c.topic();
    const added = await c.topic();
    const recorder = new Recorder();
    const origins: string[] = [];
    const adder: Middleware = (next, subscription) => {
      if (subscription.topic === topic) subscription.alsoConsume(added);
      return async (delivery, signal) => {
        origins.push(`${delivery.topic} ${subscription.topic} ${subscription.origin}`);
        await next(delivery, signal);
      };
    };
    await c.subscribe(topic, recorder.handler(), { use: [adder] });
    const [first, second] = c.messages(2, 1);
    assert.ok(first && second);
    await c.transport.publish(topic, [first]);
    await c.eventually('handling the message', () => recorder.has(first));
    await c.transport.publish(added, [second]);
    await c.eventually('handling the message of the added topic', () => recorder.has(second));
    assert.deepEqual(origins, [`${topic} ${topic} ${topic}`, `${added} ${added} ${topic}`]);
  }),

  scenario('keeps what is published to a topic that middleware asked for, until its group reads', [], async (c) => {
    const topic = await c.topic();
    const later = await c.topic();
    const group = c.group();
    const asker: Middleware = (next, subscription) => {
      subscription.ensureTopic(later, { subscription: group });
      return next;
    };
    await c.subscribe(topic, new Recorder().handler(), { use: [asker] });
    const messages = c.messages(20, 4);
    await c.transport.publish(later, messages);
    const recorder = new Recorder();
    await c.subscribe(later, recorder.handler(), { group, on: await c.client() });
    await c.eventually('handling what was published before', () => recorder.hasAll(messages));
  }),

  scenario('runs what middleware left for the close, the last first, when handlers are done', [], async (c) => {
    const topic = await c.topic();
    const trace: string[] = [];
    const recorder = new Recorder();
    const gate = c.gate();
    const leaver =
      (name: string): Middleware =>
      (next, subscription) => {
        subscription.onClose(async () => {
          trace.push(name);
        });
        return next;
      };
    const handler = recorder.handler(async () => {
      await gate.opened;
      trace.push('handler');
    });
    const subscription = await c.subscribe(topic, handler, {
      use: [leaver('outer'), leaver('inner')],
      drainMs: 600_000,
    });
    await c.transport.publish(topic, c.messages(1, 1));
    await c.eventually('the handler at work', () => recorder.running === 1);
    const closing = subscription.close();
    gate.open();
    await c.within('closing the subscription', closing);
    // Middleware is built from the inside out: the outer one registered last.
    assert.deepEqual(trace, ['handler', 'outer', 'inner']);
  }),

  scenario('refuses a second hook for exhausted messages with a CONFIGURATION error', [], async (c) => {
    const topic = await c.topic();
    const subscribing = c.transport.subscribe([topic], async () => {}, { group: c.group(), use: [taker, taker] });
    await rejection('subscribing with two hooks', subscribing, 'CONFIGURATION');
  }),

  scenario('leads each delivery of a batch through the middleware', [], async (c) => {
    const topic = await c.topic();
    const seen: string[] = [];
    const handled: string[] = [];
    const messages = c.messages(6, 6);
    const middleware: Middleware = (next) => async (delivery, signal) => {
      if (delivery.message.id === messages[2]?.id && delivery.attempt === 1) throw new Error('refused by middleware');
      await next(delivery, signal);
      seen.push(delivery.message.id);
    };
    await c.subscribeBatch(
      topic,
      async (batch) => batch.map(({ message }) => (handled.push(message.id), { ok: true })),
      { size: 6, waitMs: 20, use: [middleware] },
    );
    await c.transport.publish(topic, messages);
    await c.eventually('all messages through the middleware', () => seen.length >= messages.length);
    const ids = messages.map(({ id }) => id).toSorted();
    assert.deepEqual(seen.toSorted(), ids);
    assert.deepEqual(handled.toSorted(), ids);
  }),
];
