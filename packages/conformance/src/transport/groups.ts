import assert from 'node:assert/strict';
import { aborted } from '../gate.ts';
import { assertSameIds } from '../same-ids.ts';
import { scenario, someTurns, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

export const groupScenarios: readonly TransportScenario[] = [
  scenario('shares the messages among the members of a group', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const recorder = new Recorder();
    const gate = c.gate();
    // The first member is held up, so that the other has something to do.
    await c.subscribe(
      topic,
      recorder.handler(() => gate.opened, 'held'),
      { group },
    );
    await c.subscribe(topic, recorder.handler(undefined, 'free'), { group, on: await c.client() });
    const messages = c.messages(200, 50);
    await c.transport.publish(topic, messages);
    await c.eventually('both members at work', () => new Set(recorder.calls.map(({ by }) => by)).size === 2);
    gate.open();
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    assertSameIds(
      recorder.ids,
      messages.map(({ id }) => id),
      'handled by the group',
    );
  }),

  scenario('keeps the order of a key among the members of a group', ['ordering'], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const recorder = new Recorder();
    for (const by of ['a', 'b', 'c'])
      await c.subscribe(
        topic,
        recorder.handler(() => someTurns(c), by),
        { group, concurrency: 4, on: await c.client() },
      );
    const messages = c.messages(300, 20);
    for (let from = 0; from < messages.length; from += 30)
      await c.transport.publish(topic, messages.slice(from, from + 30));
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    recorder.assertOrderPerKey(messages);
  }),

  scenario('hands over what a leaving member has not finished', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const leaving = new Recorder();
    const staying = new Recorder();
    const left = await c.subscribe(
      topic,
      leaving.handler((_, signal) => aborted(signal)),
      { group, concurrency: 2, drainMs: 1 },
    );
    const messages = c.messages(40, 10);
    await c.transport.publish(topic, messages);
    await c.eventually('the leaving member at work', () => leaving.running > 0);
    await c.subscribe(topic, staying.handler(), { group, concurrency: 4, on: await c.client() });
    await c.within('closing the subscription', left.close());
    await c.eventually('the staying member handling everything', () => staying.hasAll(messages));
  }),

  scenario('gives every group all messages, whatever the others do', [], async (c) => {
    const topic = await c.topic();
    const failing = new Recorder();
    const slow = new Recorder();
    const well = new Recorder();
    const gate = c.gate();
    const fails = (): void => {
      if (!gate.isOpen) throw new Error('fails');
    };
    await c.subscribe(topic, failing.handler(fails), { concurrency: 10, maxHoldMs: 600_000 });
    await c.subscribe(
      topic,
      slow.handler(() => gate.opened),
    );
    await c.subscribe(topic, well.handler(), { on: await c.client() });
    const messages = c.messages(50, 10);
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages in the group that is well', () => well.hasAll(messages));
    assert.deepEqual([failing.ids, slow.ids], [[], []], 'handled by the other groups');
    gate.open();
    await c.eventually('handling all messages in all groups', () => failing.hasAll(messages) && slow.hasAll(messages));
    for (const recorder of [failing, slow, well])
      assertSameIds(
        recorder.ids,
        messages.map(({ id }) => id),
        'handled by one group',
      );
  }),

  scenario('goes on where the group stopped, whatever start position is given', ['ordering'], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const before = c.messages(3, 3);
    const earlier = new Recorder();
    const first = await c.subscribe(topic, earlier.handler(), { group });
    await c.transport.publish(topic, before);
    await c.eventually('handling the first messages', () => earlier.hasAll(before));
    await c.within('closing the subscription', first.close());
    for (const startPosition of c.harness.capabilities.startPositions) {
      const missed = c.messages(10, 3);
      await c.transport.publish(topic, missed);
      const recorder = new Recorder();
      const subscription = await c.subscribe(topic, recorder.handler(), {
        group,
        startPosition: startPosition === 'time' ? { time: Date.now() + 60_000 } : startPosition,
        on: await c.client(),
      });
      const present = c.messages(10, 3);
      await c.transport.publish(topic, present);
      const expected = [...missed, ...present];
      await c.eventually('handling all messages', () => recorder.hasAll(expected));
      assertSameIds(
        recorder.ids,
        expected.map(({ id }) => id),
        `handled from where the group stopped (${startPosition})`,
      );
      await c.assertNothingElse(topic, recorder, ['k0', 'k1', 'k2']);
      await c.within('closing the subscription', subscription.close());
    }
  }),
];
