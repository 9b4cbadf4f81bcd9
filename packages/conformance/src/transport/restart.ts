import assert from 'node:assert/strict';
import { assertFirstInOrder, repeatsOf } from './calls.ts';
import { scenario, someTurns, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';
import { publishStubbornly, Traffic } from './traffic.ts';

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

  scenario(
    'goes on when the backend restarts under load, with the keys in order',
    ['restart', 'ordering'],
    async (c) => {
      const topic = await c.topic();
      const group = c.group();
      const recorder = new Recorder();
      const { restart, restartDuplicatesMs = Number.POSITIVE_INFINITY } = c.harness;
      assert.ok(restart);
      for (const by of ['a', 'b'])
        await c.subscribe(
          topic,
          recorder.handler(() => someTurns(c), by),
          { group, concurrency: 8, on: await c.client() },
        );
      const traffic = new Traffic(c, topic, () => recorder.handledOnce.size);
      await c.eventually('the members at work', () => recorder.handledOnce.size >= 100);
      const began = performance.now();
      const restarting = restart();
      // Whether or not the traffic waits to be handled.
      const during = Array.from({ length: 20 }, (_, index) => c.message({ key: `during ${index}` }));
      await Promise.all(during.map((message) => publishStubbornly(c, topic, message)));
      await c.within('restarting the backend', restarting);
      const { length } = traffic.confirmed;
      await c.eventually('publishing after the restart', () => traffic.confirmed.length >= length + 100);
      const confirmed = [...during, ...(await traffic.end())];
      await c.eventually('handling what was confirmed', () => recorder.hasAll(confirmed));
      assertFirstInOrder(recorder.calls, confirmed);
      const old = repeatsOf(recorder.calls).filter(([{ endAt }]) => endAt < began - restartDuplicatesMs);
      assert.deepEqual(
        old.map(([{ id }]) => id),
        [],
        'handled long before the restart, and again',
      );
    },
  ),
];
