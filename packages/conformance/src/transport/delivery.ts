import assert from 'node:assert/strict';
import { canPublishCheckpointed, type Message } from '@bento-bus/core';
import { rejection } from '../errors.ts';
import { assertSameIds } from '../same-ids.ts';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

/** Publishes the messages to a subscription and gives what each became. */
async function roundTrip(c: TransportContext, messages: readonly Message[]): Promise<(sent: Message) => Message> {
  const topic = await c.topic();
  const recorder = new Recorder();
  await c.subscribe(topic, recorder.handler(), { concurrency: 4 });
  await c.transport.publish(topic, messages);
  await c.eventually('handling all messages', () => recorder.hasAll(messages));
  return (sent) => {
    const message = recorder.of(sent)[0]?.delivery.message;
    assert.ok(message);
    return message;
  };
}

const large = new Uint8Array(200_000).map((_, index) => (index * 31) % 256);

const hex = (body: Uint8Array | null): string | null =>
  body === null ? null : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('hex');

export const deliveryScenarios: readonly TransportScenario[] = [
  scenario('declares what its harness declares', [], async (c) => {
    assert.deepEqual({ ...c.transport.capabilities }, { ...c.harness.capabilities });
    assert.equal(canPublishCheckpointed(c.transport), c.harness.checkpointed === true, 'power to publish a log');
    assert.ok(c.transport.name.length > 0, 'a transport has a name');
  }),

  scenario('delivers each message once, with its topic, a position of its own and attempt 1', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    const messages = c.messages(100, 10);
    await c.subscribe(topic, recorder.handler(), { concurrency: 4 });
    await c.transport.publish(topic, messages.slice(0, 60));
    for (const message of messages.slice(60)) await c.transport.publish(topic, [message]);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    assertSameIds(
      recorder.ids,
      messages.map(({ id }) => id),
      'handled',
    );
    for (const { delivery } of recorder.calls) {
      assert.equal(delivery.topic, topic);
      assert.equal(delivery.attempt, 1);
    }
    const positions = recorder.calls.map(({ delivery }) => delivery.position);
    assert.equal(new Set(positions).size, messages.length, 'each message has a position of its own');
  }),

  scenario('delivers several topics to one subscription', [], async (c) => {
    const topics = [await c.topic(), await c.topic(), await c.topic()];
    const recorder = new Recorder();
    await c.subscribe(topics, recorder.handler(), { concurrency: 4 });
    const sent = new Map<string, readonly Message[]>(topics.map((topic) => [topic, c.messages(20, 4)]));
    await Promise.all(Array.from(sent, ([topic, messages]) => c.transport.publish(topic, messages)));
    await c.eventually('handling the messages of all topics', () => recorder.hasAll([...sent.values()].flat()));
    for (const [topic, messages] of sent) {
      const ids = recorder.handled.filter(({ delivery }) => delivery.topic === topic).map(({ id }) => id);
      assertSameIds(
        ids,
        messages.map(({ id }) => id),
        `handled from one of ${topics.length} topics`,
      );
    }
  }),

  scenario('carries id, type, source, time and key unchanged', [], async (c) => {
    const plain = c.message({ key: 'k', type: 'order.placed', source: '/shop/eu?tenant=1', time: 1_700_000_000_123 });
    const unicode = c.message({ id: 'id-ä-✓-🔑', type: 'заказ.создан', key: 'schlüssel 钥匙 🔑', time: 1 });
    const keyless = c.message();
    const received = await roundTrip(c, [plain, unicode, keyless]);
    for (const sent of [plain, unicode]) {
      const { id, type, source, time, key } = received(sent);
      assert.deepEqual(
        { id, type, source, time, key },
        { id: sent.id, type: sent.type, source: sent.source, time: sent.time, key: sent.key },
      );
    }
    // A keyless message has its id as key; a backend may say so or leave it out.
    assert.ok([undefined, keyless.id].includes(received(keyless).key), 'a keyless message got a foreign key');
  }),

  scenario('carries headers unchanged', [], async (c) => {
    const headers = {
      'x-plain': 'value',
      'x-empty': '',
      'x-unicode': 'Grüße, 你好, 🚚',
      'x-signs': ' a=b; "c" \\ %20 \t,{}[] ',
      'x-long': 'x'.repeat(2_000),
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      ...Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`x-${index}`, String(index)])),
    };
    const many = c.message({ headers });
    const none = c.message();
    const received = await roundTrip(c, [many, none]);
    // A backend may add headers of its own.
    for (const [name, value] of Object.entries(headers)) assert.equal(received(many).headers[name], value, name);
    assert.equal(received(none).headers['x-plain'], undefined, 'headers went over to another message');
  }),

  scenario('carries bodies unchanged: every byte, large ones, empty ones and tombstones', [], async (c) => {
    const bodies: (Uint8Array | null)[] = [
      Uint8Array.from({ length: 256 }, (_, byte) => byte),
      large,
      new Uint8Array(0),
      new Uint8Array([0]),
      // A view on a part of its buffer.
      new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
      null,
    ];
    const messages = bodies.map((body, index) => c.message({ key: `k${index}`, body }));
    const received = await roundTrip(c, messages);
    for (const message of messages) assert.equal(hex(received(message).body), hex(message.body));
  }),

  scenario('refuses subscriptions that make no sense with a CONFIGURATION error', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const refuse = (what: string, topics: readonly string[], options: object): Promise<unknown> =>
      rejection(
        what,
        c.transport.subscribe(topics, async () => {}, { group, ...options }),
        'CONFIGURATION',
      );
    await refuse('a subscription to no topic', [], {});
    await refuse('a subscription without a group', [topic], { group: '' });
    await refuse('a subscription with a concurrency of 0', [topic], { concurrency: 0 });
    await refuse('a subscription with a negative hold', [topic], { maxHoldMs: -1 });
  }),
];
