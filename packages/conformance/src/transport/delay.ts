import assert from 'node:assert/strict';
import { headerNames, type Message } from '@bento-bus/core';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

/** A message that may not be delivered for so long. */
const delayed = (c: TransportContext, ms: number, fields: Partial<Message> = {}): Message =>
  c.message({ ...fields, headers: { ...fields.headers, [headerNames.deliverAt]: String(Date.now() + ms) } });

const dueOf = ({ headers }: Message): number => Number(headers[headerNames.deliverAt]);

/** The parts that carry delays are made when they are used first: that takes a moment that is none of what is measured. */
async function warmUp(c: TransportContext): Promise<void> {
  const topic = await c.topic();
  const recorder = new Recorder();
  await c.subscribe(topic, recorder.handler());
  const message = delayed(c, 20);
  await c.transport.publish(topic, [message]);
  await c.eventually('handling the first delayed message', () => recorder.has(message));
}

export const delayScenarios: readonly TransportScenario[] = [
  scenario('delivers a delayed message not before its time, and soon after', ['delays'], async (c) => {
    await warmUp(c);
    const topic = await c.topic();
    const recorder = new Recorder();
    const at = new Map<string, number>();
    await c.subscribe(
      topic,
      recorder.handler(({ message }) => void at.set(message.id, Date.now())),
      { concurrency: 64 },
    );
    // In no order, with several of each, and some whose time is over.
    const longest = c.harness.longestDelayMs ?? 600;
    const delays = [0.7, 0.1, -2, 0.35, 0.02, 0.5, 0, 1].map((part) => Math.round(part * longest));
    const messages = Array.from({ length: 10 * delays.length }, (_, index) =>
      delayed(c, delays[index % delays.length] as number, { key: `k${index % 7}` }),
    );
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    const late = messages.map((message) => (at.get(message.id) as number) - dueOf(message));
    assert.deepEqual(
      late.filter((ms) => ms < 0),
      [],
      'delivered before their time',
    );
    // Half of them, as a machine may be held up for a moment.
    const sorted = late.filter((_, index) => (delays[index % delays.length] as number) >= 0).toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] as number;
    assert.ok(median <= 1_000, `half of the messages came more than ${median} ms after their time`);
    assert.equal(recorder.calls.length, messages.length, 'each is delivered once');
  }),

  scenario('holds nothing back behind a delayed message', ['delays'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler());
    const later = delayed(c, 600_000, { key: 'k0' });
    const messages = c.messages(20, 1);
    await c.transport.publish(topic, [later, ...messages]);
    await c.eventually('handling what is not delayed', () => recorder.hasAll(messages));
    assert.ok(!recorder.has(later));
  }),

  scenario('carries a delayed message unchanged, to each group', ['delays', 'earliest'], async (c) => {
    const topic = await c.topic();
    const recorders = [new Recorder(), new Recorder()];
    const message = delayed(c, 150, {
      time: 1_700_000_000_123,
      key: 'ключ',
      headers: { 'x-own': 'wert: ü', 'content-type': 'application/x-test' },
      body: Uint8Array.from({ length: 256 }, (_, index) => index),
    });
    const tombstone = delayed(c, 150, { key: 'ключ', time: 0, body: null });
    for (const recorder of recorders) await c.subscribe(topic, recorder.handler(), { on: await c.client() });
    await c.transport.publish(topic, [message, tombstone]);
    for (const recorder of recorders) {
      await c.eventually('handling the messages', () => recorder.hasAll([message, tombstone]));
      for (const sent of [message, tombstone]) {
        const [call, ...more] = recorder.of(sent);
        assert.equal(more.length, 0);
        const { topic: from, message: came, attempt } = call?.delivery ?? assert.fail('no delivery');
        assert.equal(from, topic);
        assert.equal(attempt, 1);
        const { id, type, source, time, key, headers } = came;
        assert.deepEqual({ id, type, source, time, key }, { ...same(sent) });
        for (const name in sent.headers) assert.equal(headers[name], sent.headers[name], name);
        assert.deepEqual(came.body && Buffer.from(came.body), sent.body && Buffer.from(sent.body));
      }
    }
  }),

  scenario('delivers a delayed message whose publisher is gone', ['delays', 'clients', 'earliest'], async (c) => {
    const topic = await c.topic();
    const publisher = await c.client();
    const messages = Array.from({ length: 20 }, (_, index) => delayed(c, 1_500 + 20 * index, { key: `k${index % 3}` }));
    await publisher.publish(topic, messages);
    await c.within('closing the publisher', publisher.close());
    const recorder = new Recorder();
    const at = new Map<string, number>();
    await c.subscribe(
      topic,
      recorder.handler(({ message }) => void at.set(message.id, Date.now())),
    );
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    for (const message of messages)
      assert.ok((at.get(message.id) as number) >= dueOf(message), 'delivered before its time');
  }),

  scenario('refuses a time that is none, and sends nothing', ['delays'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler());
    const fine = c.message({ key: 'k0' });
    for (const time of ['soon', '', 'NaN', '1e999']) {
      const bad = c.message({ key: 'k0', headers: { [headerNames.deliverAt]: time } });
      await assert.rejects(c.transport.publish(topic, [fine, bad]), { code: 'CONFIGURATION' });
    }
    await c.assertNothingElse(topic, recorder);
  }),
];

const same = ({ id, type, source, time, key }: Message): Partial<Message> => ({
  id,
  type,
  source,
  time,
  key: key as string,
});
