import { BentoError, type Message } from '@bento-bus/core';
import { createPulsarAdmin, type PulsarAdmin } from '@bento-bus/pulsar-adapter';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpFailure, toBentoError } from '../src/errors.ts';
import { type Broker, connect, startBroker } from './support/harness.ts';
import { uniqueName } from './support/names.ts';
import { until } from './support/poll.ts';

const isLong = process.env['LONG'] === '1';
const describeInLong = isLong ? describe : describe.skip;

let broker: Broker;
let admin: PulsarAdmin;
beforeAll(async () => {
  broker = await startBroker();
  admin = createPulsarAdmin({ serviceUrl: broker.serviceUrl, webUrl: broker.webUrl });
});
afterAll(async () => {
  await admin.close();
  await broker.stop();
});

const messages = (count: number): Message[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `m${index}`,
    type: 'test.event',
    source: '/test',
    time: Date.now(),
    key: `k${index % 50}`,
    headers: {},
    body: Buffer.from(String(index)),
  }));

const timed = async <T>(what: string, work: Promise<T>): Promise<T> => {
  const begin = performance.now();
  const result = await work;
  process.stdout.write(`figure: ${what}: ${Math.round(performance.now() - begin)} ms\n`);
  return result;
};

describe('administration of much', () => {
  const topics = isLong ? 1_000 : 300;
  it(`lists ${topics} topics of a namespace`, async () => {
    const namespace = uniqueName('many');
    await admin.policies.createNamespace(namespace);
    const { serviceUrl, webUrl } = broker;
    const many = createPulsarAdmin({ serviceUrl, webUrl, namespace, requestTimeoutMs: 120_000 });
    const names = Array.from({ length: topics }, (_, index) => `topic-${String(index).padStart(4, '0')}`);
    await timed(`made ${topics} topics`, Promise.all(names.map((name) => many.createTopic(name))));
    expect(await timed(`listed ${topics} topics`, many.listTopics())).toEqual(names);
    expect(await many.listTopics({ prefix: 'topic-00' })).toEqual(names.slice(0, 100));
    await many.close();
  }, 180_000);

  const count = isLong ? 100_000 : 10_000;
  it(`describes a group with a backlog of ${count} messages, and moves it`, async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    await admin.createTopic(topic, { partitions: 4 });
    await admin.createGroup(topic, group, 'earliest');
    const transport = connect(broker, { maxInFlight: 5_000, publishTimeoutMs: 120_000 });
    const all = messages(count);
    await timed(`published ${count} messages`, transport.publish(topic, all));
    const { backlog } = await timed('described the group', admin.describeGroup(topic, group));
    expect(backlog).toBe(count);
    const { partitions } = await timed('described the topic', admin.describeTopic(topic));
    expect(partitions.reduce((sum, one) => sum + one.messages, 0)).toBe(count);
    expect(await timed('looked at 40 messages', admin.peek(topic, group))).toHaveLength(40);
    const skipped = partitions.reduce((sum, one) => sum + Math.min(one.messages, 2_000), 0);
    expect(await timed('skipped messages', admin.skip(topic, group, 2_000))).toBe(skipped);
    await timed('moved the group', admin.reset(topic, group, 'earliest'));
    expect((await admin.describeGroup(topic, group)).backlog).toBe(count);
    await transport.close();
  }, 180_000);
});

const record = (fields: object[]): string =>
  JSON.stringify({
    type: 'AVRO',
    schema: JSON.stringify({ type: 'record', name: 'Order', fields }),
    properties: {},
  });

describe('what the broker says', () => {
  it('is one sentence, whatever it was', async () => {
    const topic = uniqueName('schema');
    await admin.createTopic(topic);
    const ask = async (method: string, path: string, body?: string): Promise<BentoError> => {
      const response = await fetch(`${broker.webUrl}/admin/v2/${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      });
      return toBentoError(new HttpFailure(response.status, await response.text()), `ask "${path}"`);
    };
    const schemas = `schemas/public/default/${topic}`;
    const first = await fetch(`${broker.webUrl}/admin/v2/${schemas}/schema`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: record([{ name: 'id', type: 'string' }]),
    });
    expect(first.status).toBe(200);
    const other = record([{ name: 'other', type: 'int' }]);
    const answers = {
      compatibility: await ask('POST', `${schemas}/compatibility`, other),
      schema: await ask('POST', `${schemas}/schema`, other),
      retention: await ask(
        'POST',
        'namespaces/public/default/retention',
        '{"retentionTimeInMinutes":5,"retentionSizeInMB":0}',
      ),
      cluster: await ask('PUT', `tenants/${uniqueName('t')}`, '{"allowedClusters":["nowhere"]}'),
      tenant: await ask('GET', 'namespaces/nobody'),
      namespace: await ask('GET', 'namespaces/public/nowhere/retention'),
      path: await ask('GET', 'no/such/path'),
      method: await ask('DELETE', 'clusters'),
    };
    for (const [what, error] of Object.entries(answers)) {
      expect([what, error.message]).toEqual([
        what,
        expect.stringMatching(/^pulsar-adapter: cannot ask "[^"]*": [^<>\n\t]{3,300}\. [^<>\n]+\.$/),
      ]);
      expect([what, error.message]).toEqual([what, expect.not.stringMatching(/(java|org)\.[a-z]+\.|\bat [\w.$]+\(/)]);
    }
    expect(Object.fromEntries(Object.entries(answers).map(([what, { code }]) => [what, code]))).toEqual({
      compatibility: 'CONFIGURATION',
      schema: 'CONFIGURATION',
      retention: 'CONFIGURATION',
      cluster: 'CONFIGURATION',
      tenant: 'UNKNOWN_TOPIC',
      namespace: 'UNKNOWN_TOPIC',
      path: 'UNKNOWN_TOPIC',
      method: 'CONFIGURATION',
    });
  });
});

describe('topics of transports', () => {
  it('are made for middleware, with subscriptions and compaction', async () => {
    const [topic, needed] = [uniqueName('topic'), uniqueName('needed')];
    const transport = connect(broker);
    await transport.subscribe([topic], async () => {}, {
      group: uniqueName('group'),
      use: [
        (next, context) => {
          context.ensureTopic(needed, { subscription: 'reader', compacted: true });
          return next;
        },
      ],
    });
    expect(await admin.listGroups(needed)).toEqual(['reader']);
    const compaction = (): Promise<number | undefined> => admin.policies.topic(needed).get('compactionThreshold');
    await until('the policy', async () => (await compaction()) === 10 * 1_048_576);
    expect(await compaction()).toBe(10 * 1_048_576);
    await transport.close();
  });

  it('publishes in batches that the service joins, for Shared subscriptions', async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    await admin.createTopic(topic);
    await admin.createGroup(topic, group, 'earliest');
    const transport = connect(broker, { subscriptionType: 'Shared', batching: true });
    const sent = messages(2_000);
    await transport.publish(topic, sent);
    const { backlog } = await admin.describeGroup(topic, group);
    expect(backlog).toBeLessThan(sent.length / 2);
    const peeked = await admin.peek(topic, group, { count: 500 });
    expect(peeked.map(({ message }) => message.id)).toEqual(sent.slice(0, 500).map(({ id }) => id));
    expect(peeked[3]?.message).toMatchObject({ type: 'test.event', key: 'k3' });
    const got = new Set<string>();
    await transport.subscribe([topic], async ({ message: { id } }) => void got.add(id), { group, concurrency: 32 });
    await until('all messages', () => got.size === sent.length);
    await transport.close();
  });
});

// The broker's own client looks for new partitions once a minute.
describeInLong('topics that grow (a minute: in test:long)', () => {
  it('reads from partitions that are added while a subscription runs', async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    await admin.createTopic(topic, { partitions: 1 });
    const got = new Set<string>();
    const reader = connect(broker);
    await reader.subscribe([topic], async ({ message: { id } }) => void got.add(id), { group });
    await admin.setPartitions(topic, 4);
    const writer = connect(broker);
    await writer.publish(topic, messages(50));
    const { partitions } = await admin.describeTopic(topic);
    expect(partitions.filter((one) => one.messages > 0).length).toBeGreaterThan(1);
    await until('all messages', () => got.size === 50, 90_000);
    await Promise.all([reader.close(), writer.close()]);
  }, 120_000);
});
