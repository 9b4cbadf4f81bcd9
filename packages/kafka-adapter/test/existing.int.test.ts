import { type Codec, createMessageBus } from '@bento-bus/core';
import { plain } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import type { IHeaders } from 'kafkajs';
import { createKafkaTransport, type KafkaTransport } from '../src/index.ts';
import { useBroker } from './support/broker.ts';
import { eventually, message, unique } from './support/messages.ts';

const server = useBroker();
const { open, client } = server;

/** Of a producer that knows nothing of us. */
async function produce(
  topic: string,
  records: readonly { key?: string | Buffer; value: string | Buffer | null; headers?: IHeaders }[],
) {
  const producer = client().producer();
  await producer.connect();
  for (const { key = null, ...record } of records) await producer.send({ topic, messages: [{ key, ...record }] });
  await producer.disconnect();
}

const ce = { ce_specversion: '1.0', ce_id: 'e1', ce_type: 'order.placed', ce_source: '/other' };

/** What foreign producers write: two of them are CloudEvents. */
const foreign: Parameters<typeof produce>[1] = [
  { value: 'no key, no headers' },
  { value: 'fine', key: 'k', headers: ce },
  { value: 'no type', key: 'k', headers: { ...ce, ce_type: '' } },
  { value: 'other version', key: 'k', headers: { ...ce, ce_specversion: '0.3' } },
  { value: 'no UTF-8', key: Buffer.from([0xff, 0xfe]), headers: { ...ce, ce_id: 'e2', other: Buffer.from([0xff]) } },
  { value: 'twice a header', headers: { a: ['1', '2'] } },
  { value: null, key: 'gone' },
];

const text: Codec = {
  contentType: 'text/plain',
  encode: (value) => ({ body: Buffer.from(String(value)) }),
  decode: (body) => Buffer.from(body).toString(),
};

describe('topics that exist already', () => {
  it('reads records of foreign producers with plain, whatever they are', async () => {
    const topic = unique('foreign');
    const transport = open({
      format: plain({ typeOf: ({ headers }) => headers['ce_type'] || 'other' }),
      partitions: 1,
    });
    await transport.publish(topic, [message({ id: 'ours', key: 'k', body: Buffer.from('ours'), headers: { a: 'b' } })]);
    await produce(topic, foreign);
    const got: unknown[][] = [];
    await transport.subscribe(
      [topic],
      async ({ message: { id, type, key, body } }) =>
        void got.push([id, type, key, body === null ? null : String(body)]),
      { group: 'g' },
    );
    await eventually('reading all', () => got.length === foreign.length + 1);
    // Keys side by side have no order.
    expect(got.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))).toEqual([
      [`${topic}/0@0`, 'other', 'k', 'ours'],
      [`${topic}/0@1`, 'other', undefined, 'no key, no headers'],
      [`${topic}/0@2`, 'order.placed', 'k', 'fine'],
      [`${topic}/0@3`, 'other', 'k', 'no type'],
      [`${topic}/0@4`, 'order.placed', 'k', 'other version'],
      [`${topic}/0@5`, 'order.placed', '//4=', 'no UTF-8'],
      [`${topic}/0@6`, 'other', undefined, 'twice a header'],
      [`${topic}/0@7`, 'other', 'gone', null],
    ]);
  });

  it.each(['skip', 'function'])('treats records that are no CloudEvents by policy: %s', async (policy) => {
    const topic = unique('foreign');
    const transport = open({ partitions: 1 });
    await transport.publish(topic, [message({ id: 'ours' })]);
    await produce(topic, foreign);
    const [handled, aside]: [string[], string[]] = [[], []];
    await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), {
      group: 'g',
      unreadable:
        policy === 'skip'
          ? 'skip'
          : async ({ message: { body } }) => void aside.push(body === null ? 'null' : String(body)),
    });
    await transport.publish(topic, [message({ id: 'last' })]);
    await eventually('handling all', () => handled.length === 4 && (policy === 'skip' || aside.length === 5));
    expect(handled.toSorted()).toEqual(['e1', 'e2', 'last', 'ours']);
    const bad = ['no key, no headers', 'no type', 'other version', 'twice a header', 'null'];
    expect(aside.toSorted()).toEqual(policy === 'skip' ? [] : bad.toSorted());
  });

  it('subscribes to several topics and patterns, and to those that come later', async () => {
    const [name, transport] = [unique('pattern'), open({ partitions: 1 })];
    const bus = createMessageBus({ transport, codec: text, source: 'test' });
    await bus.publish(`${name}-a`, 'a');
    await bus.publish(`other-${name}`, 'other');
    await bus.publish(`${name}-a-g-DLQ`, 'dead');
    const got: string[] = [];
    await bus.subscribe([new RegExp(`^${name}-`), `also-${name}`], ({ data }) => void got.push(String(data)), {
      group: unique('g'),
      topicRefreshMs: 200,
    });
    await bus.publish(`also-${name}`, 'also');
    await eventually('the first topics', () => got.length === 2);
    await bus.publish(`${name}-b`, 'b');
    await eventually('the topic that came later', () => got.includes('b'));
    await bus.publish(`${name}-a`, 'a again');
    await eventually('the topic that was there', () => got.includes('a again'));
    expect(got.toSorted()).toEqual(['a', 'a again', 'also', 'b']);
    await bus.close();
  });

  it('begins at a time', async () => {
    const topic = unique('time');
    const transport = open();
    await produce(await made(transport, topic), [{ value: 'before' }]);
    const before = Date.now();
    await eventually('a later millisecond', () => Date.now() > before + 1);
    const time = Date.now();
    await produce(topic, [{ value: 'after' }]);
    const reader = open({ format: plain({ typeOf: 'any' }) });
    const got: string[] = [];
    await reader.subscribe([topic], async ({ message: { body } }) => void got.push(String(body)), {
      group: 'g',
      startPosition: { time },
    });
    await eventually('reading what came after', () => got.length > 0);
    expect(got).toEqual(['after']);
  });

  it('works on a client that is there already, and leaves it open', async () => {
    const [given, topic] = [client(), unique('client')];
    const transport = createKafkaTransport({ client: given });
    const got: string[] = [];
    await transport.subscribe([topic], async ({ message: { id } }) => void got.push(id), { group: 'g' });
    await transport.publish(topic, [message({ id: 'm' })]);
    await eventually('handling', () => got.length === 1);
    await transport.close();
    const admin = given.admin();
    await admin.connect();
    expect(await admin.listTopics()).toContain(topic);
    await admin.disconnect();
  });
});

async function made(transport: KafkaTransport, topic: string): Promise<string> {
  const subscription = await transport.subscribe([topic], async () => {}, { group: 'maker' });
  await subscription.close();
  return topic;
}
