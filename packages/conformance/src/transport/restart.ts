import assert from 'node:assert/strict';
import { isBentoError, type Message } from '@bento-bus/core';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

/** Publishes until it is confirmed, as an application does; only retryable errors may come in between. */
const publishStubbornly = (c: TransportContext, topic: string, message: Message): Promise<void> =>
  c.eventually('publishing', async () => {
    try {
      await c.transport.publish(topic, [message]);
      return true;
    } catch (error) {
      assert.ok(isBentoError(error) && error.retryable, `a retryable error was expected, not ${String(error)}`);
      return false;
    }
  });

export const restartScenarios: readonly TransportScenario[] = [
  scenario('goes on after a restart of the backend, with nothing lost that was confirmed', ['restart'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler(), { concurrency: 4 });
    const messages = c.messages(60, 6);
    const before = messages.slice(0, 20);
    await c.transport.publish(topic, before);
    await c.eventually('handling the messages before the restart', () => recorder.hasAll(before));
    assert.ok(c.harness.restart);
    // Some while it restarts, the rest when it is back.
    const restarting = c.harness.restart();
    for (const message of messages.slice(20, 40)) await publishStubbornly(c, topic, message);
    await c.within('restarting the backend', restarting);
    for (const message of messages.slice(40)) await publishStubbornly(c, topic, message);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
  }),
];
