import { randomUUID } from 'node:crypto';
import { type Codec, createMessageBus, headerNames, type Message } from '@bento-bus/core';
import { plain } from '@bento-bus/core/adapter';
import type { PulsarTransport, PulsarTransportOptions } from '@bento-bus/pulsar-adapter';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Broker, connect, startBroker } from './support/harness.ts';
import { uniqueName } from './support/names.ts';
import { until } from './support/poll.ts';

let broker: Broker;
const transports: PulsarTransport[] = [];
const open = (options: PulsarTransportOptions = {}): PulsarTransport => {
  const transport = connect(broker, options);
  transports.push(transport);
  return transport;
};

beforeAll(async () => {
  broker = await startBroker();
});
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});
afterAll(() => broker.stop());

const message = (headers: Readonly<Record<string, string>> = {}): Message => {
  const id = randomUUID();
  return { id, type: 'test', source: '/test', time: Date.now(), key: 'k', headers, body: Buffer.from(id) };
};

interface Foreign {
  readonly key?: string;
  readonly body: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** Of a producer that knows nothing of us: Pulsar's own WebSocket API. */
async function produce(topic: string, all: readonly Foreign[]): Promise<void> {
  const url = `${broker.webUrl.replace('http', 'ws')}/ws/v2/producer/persistent/public/default/${topic}`;
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.on('open', resolve).on('error', reject);
  });
  for (const { key, body, properties } of all) {
    const stored = new Promise<string>((resolve) => {
      socket.once('message', (data: Buffer) => resolve(data.toString()));
    });
    socket.send(JSON.stringify({ payload: Buffer.from(body).toString('base64'), key, properties }));
    expect(await stored).toContain('"result":"ok"');
  }
  socket.close();
}

const ce = { ce_specversion: '1.0', ce_id: 'e1', ce_type: 'order.placed', ce_source: '/other' };
const foreign: readonly Foreign[] = [
  { body: 'no key, no properties' },
  { body: 'fine', key: 'k', properties: ce },
  { body: 'no type', key: 'k', properties: { ...ce, ce_type: '' } },
  { body: 'other version', key: 'k', properties: { ...ce, ce_specversion: '0.3' } },
  { body: '', key: 'empty' },
];

const text: Codec = {
  contentType: 'text/plain',
  encode: (value) => ({ body: Buffer.from(String(value)) }),
  decode: (body) => Buffer.from(body).toString(),
};

describe('topics that exist already', () => {
  it('reads messages of foreign producers with plain, whatever they are', async () => {
    const topic = uniqueName('foreign');
    await produce(topic, foreign);
    const transport = open({ format: plain({ typeOf: ({ headers }) => headers['ce_type'] || 'other' }) });
    const got: string[] = [];
    await transport.subscribe(
      [topic],
      async ({ message: { type, key, body } }) => void got.push(`${String(body)}, ${type}, ${key}`),
      { group: uniqueName('g') },
    );
    await until('reading all', () => got.length === foreign.length);
    expect(got.toSorted()).toEqual(
      [
        'no key, no properties, other, undefined',
        'fine, order.placed, k',
        'no type, other, k',
        'other version, order.placed, k',
        ', other, empty',
      ].toSorted(),
    );
  });

  it.each(['skip', 'function'])('treats messages that are no CloudEvents by policy: %s', async (policy) => {
    const topic = uniqueName('foreign');
    await produce(topic, foreign);
    const [handled, aside]: [string[], string[]] = [[], []];
    const transport = open();
    await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), {
      group: uniqueName('g'),
      unreadable: policy === 'skip' ? 'skip' : async ({ message: { body } }) => void aside.push(String(body)),
    });
    const last = message();
    await transport.publish(topic, [last]);
    await until('handling all', () => handled.length === 2 && (policy === 'skip' || aside.length === 4));
    expect(handled.toSorted()).toEqual(['e1', last.id].toSorted());
    const bad = ['no key, no properties', 'no type', 'other version', ''];
    expect(aside.toSorted()).toEqual(policy === 'skip' ? [] : bad.toSorted());
  });

  it('subscribes to several topics and patterns, and to those that come later', async () => {
    const name = uniqueName('pattern');
    const bus = createMessageBus({ transport: open({ partitions: 2 }), codec: text, source: 'test' });
    await bus.publish(`${name}-a`, 'a');
    await bus.publish(`other-${name}`, 'other');
    await bus.publish(`${name}-a-g-DLQ`, 'dead');
    const got: string[] = [];
    await bus.subscribe([new RegExp(`^${name}-`), `also-${name}`], ({ data }) => void got.push(String(data)), {
      group: uniqueName('g'),
      topicRefreshMs: 200,
    });
    await bus.publish(`also-${name}`, 'also');
    await until('the first topics', () => got.length === 2);
    await bus.publish(`${name}-b`, 'b');
    await until('the topic that came later', () => got.includes('b'));
    await bus.publish(`${name}-a`, 'a again');
    await until('the topic that was there', () => got.includes('a again'));
    expect(got.toSorted()).toEqual(['a', 'a again', 'also', 'b']);
    await bus.close();
  });

  it('holds what the broker delivers at once and is due later, whatever the subscription type and format', async () => {
    for (const subscriptionType of ['Failover', 'Exclusive'] as const) {
      const topic = uniqueName('delayed');
      const transport = open({ subscriptionType, format: plain({ typeOf: 'any' }) });
      const early: number[] = [];
      const due = Date.now() + 700;
      await transport.subscribe([topic], async () => void early.push(due - Date.now()), { group: uniqueName('g') });
      await transport.publish(topic, [message({ [headerNames.deliverAt]: String(due) })]);
      await until('the delayed message', () => early.length === 1);
      expect(early[0]).toBeLessThanOrEqual(0);
    }
  });
});
