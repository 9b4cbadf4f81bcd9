import assert from 'node:assert/strict';
import { scenario, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

export const redeliveryScenarios: readonly TransportScenario[] = [
  scenario(
    'delivers a rejected message again, its attempt one higher each time, until it is handled',
    [],
    async (c) => {
      const topic = await c.topic();
      const recorder = new Recorder();
      const message = c.message({ key: 'k0', headers: { 'x-test': 'again' } });
      const handler = recorder.handler((delivery) => {
        if (delivery.message.id === message.id && delivery.attempt < 4) throw new Error(`fails ${delivery.attempt}`);
      });
      await c.subscribe(topic, handler);
      await c.transport.publish(topic, [message]);
      await c.eventually('handling the message in the end', () => recorder.has(message));
      await c.assertNothingElse(topic, recorder);
      const attempts = recorder.of(message).map(({ delivery }) => delivery.attempt);
      assert.deepEqual(attempts, [1, 2, 3, 4]);
      for (const { delivery } of recorder.of(message)) {
        assert.equal(delivery.message.headers['x-test'], 'again');
        assert.equal(Buffer.from(delivery.message.body ?? []).toString(), message.id);
      }
    },
  ),

  scenario('delivers nothing of a key while a message of it is at work', ['ordering'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const gate = c.gate();
    await c.subscribe(
      topic,
      recorder.handler(() => gate.opened),
      { concurrency: 4 },
    );
    const messages = c.messages(2, 1);
    await c.transport.publish(topic, messages);
    await c.eventually('the first handler at work', () => recorder.calls.length > 0);
    await c.quiet('the second message waits', () => recorder.calls.length === 1);
    gate.open();
    await c.eventually('handling both', () => recorder.hasAll(messages));
    recorder.assertOrderPerKey(messages);
  }),

  scenario('acknowledges nothing before the handler resolves', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const abandoned = new Recorder();
    const gate = c.gate();
    const subscription = await c.subscribe(
      topic,
      abandoned.handler(() => gate.opened),
      { group, drainMs: 1 },
    );
    const message = c.message({ key: 'k0' });
    await c.transport.publish(topic, [message]);
    await c.eventually('the handler at work', () => abandoned.running === 1);
    await c.within('closing the subscription', subscription.close());
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler(), { group });
    await c.eventually('delivering again what was not acknowledged', () => recorder.has(message));
  }),

  scenario('goes on after handlers that throw at once or reject with what is no error', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const messages = c.messages(6, 6);
    const reasons: readonly unknown[] = [new Error('thrown'), undefined, null, 'text', 0, Symbol('odd')];
    const failed = new Set<string>();
    const recorded = recorder.handler();
    await c.subscribe(topic, (delivery, signal) => {
      const { id } = delivery.message;
      const index = messages.findIndex((message) => message.id === id);
      if (failed.has(id)) return recorded(delivery, signal);
      failed.add(id);
      // Not async: thrown in the call.
      if (index % 2 === 0) throw reasons[index];
      return Promise.reject(reasons[index]);
    });
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    for (const { delivery } of recorder.calls) assert.equal(delivery.attempt, 2);
    await c.assertNothingElse(topic, recorder);
  }),

  scenario('does not hold other keys back behind a failing message', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    let healed = false;
    const [poison, ...others] = c.messages(30, 30);
    assert.ok(poison);
    const handler = recorder.handler(({ message }) => {
      if (message.id === poison.id && !healed) throw new Error('fails');
    });
    await c.subscribe(topic, handler, { maxHoldMs: 600_000 });
    await c.transport.publish(topic, [poison, ...others]);
    await c.eventually('handling the other keys', () => recorder.hasAll(others));
    healed = true;
    await c.eventually('handling the message that failed', () => recorder.has(poison));
  }),

  scenario('waits before it delivers a rejected message again', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const gate = c.gate();
    const handler = recorder.handler(() => {
      if (!gate.isOpen) throw new Error('fails');
    });
    await c.subscribe(topic, handler, { maxHoldMs: 600_000 });
    const message = c.message({ key: 'k0' });
    await c.transport.publish(topic, [message]);
    // A hot loop makes hundreds of attempts; backoff with jitter, about five.
    const most = 12 + Math.floor(c.quietMs / 20);
    await c.quiet(`at most ${most} attempts in ${c.quietMs} ms`, () => recorder.calls.length <= most);
    gate.open();
    await c.eventually('handling the message', () => recorder.has(message));
  }),
];
