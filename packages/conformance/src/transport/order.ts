import assert from 'node:assert/strict';
import { scenario, someTurns, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

export const orderScenarios: readonly TransportScenario[] = [
  scenario('handles the messages of a key in order, one after the other', ['ordering'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(
      topic,
      recorder.handler(() => someTurns(c)),
      { concurrency: 16 },
    );
    const messages = c.messages(400, 20);
    const half = messages.length / 2;
    await c.transport.publish(topic, messages.slice(0, half));
    // Calls that are not waited for keep their order too.
    await Promise.all(messages.slice(half).map((message) => c.transport.publish(topic, [message])));
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    recorder.assertOrderPerKey(messages);
  }),

  scenario('keeps the order of a key when messages fail', ['ordering'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const messages = c.messages(60, 6);
    const failures = new Map(messages.map(({ id }) => [id, c.random() < 0.3 ? 1 : 0]));
    const handler = recorder.handler(async ({ message }) => {
      await someTurns(c);
      const left = failures.get(message.id) ?? 0;
      failures.set(message.id, left - 1);
      if (left > 0) throw new Error('fails once');
    });
    await c.subscribe(topic, handler, { concurrency: 8, maxHoldMs: 600_000 });
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    recorder.assertOrderPerKey(messages);
  }),

  scenario('handles different keys side by side, never more than its concurrency', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const gate = c.gate();
    await c.subscribe(
      topic,
      recorder.handler(() => gate.opened),
      { concurrency: 4 },
    );
    const messages = c.messages(12, 12);
    await c.transport.publish(topic, messages);
    await c.eventually('4 handlers at work', () => recorder.running >= 4);
    await c.quiet('no more than 4 handlers at work', () => recorder.running <= 4);
    gate.open();
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    assert.equal(recorder.peak, 4, 'handlers at work at once');
  }),

  scenario('handles one message at a time by default', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(
      topic,
      recorder.handler(() => someTurns(c)),
    );
    const messages = c.messages(20, 20);
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    assert.equal(recorder.peak, 1, 'handlers at work at once');
  }),

  scenario("handles messages of one key side by side with ordering 'none'", [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const gate = c.gate();
    await c.subscribe(
      topic,
      recorder.handler(() => gate.opened),
      { concurrency: 3, ordering: 'none' },
    );
    const messages = c.messages(6, 1);
    await c.transport.publish(topic, messages);
    await c.eventually('3 handlers at work on one key', () => recorder.running >= 3);
    gate.open();
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
  }),

  scenario('holds nothing back behind a failing message without a key', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const poison = c.message();
    const others = Array.from({ length: 10 }, () => c.message());
    let healed = false;
    const handler = recorder.handler(({ message }) => {
      if (message.id === poison.id && !healed) throw new Error('fails');
    });
    await c.subscribe(topic, handler, { maxHoldMs: 600_000 });
    await c.transport.publish(topic, [poison, ...others]);
    await c.eventually('handling the other messages', () => recorder.hasAll(others));
    assert.ok(!recorder.has(poison), 'the failing message counts as handled');
    healed = true;
    await c.eventually('handling the message that failed', () => recorder.has(poison));
  }),
];
