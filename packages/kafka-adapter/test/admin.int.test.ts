import { describeAdmin } from '@bento-bus/conformance';
import type { MessagingAdmin } from '@bento-bus/core';
import { startKafka } from '@bento-bus/stack';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { createKafkaAdmin, type KafkaAdminOptions } from '../src/index.ts';
import { connect, harness } from './support/harness.ts';
import { codeOf, message, unique } from './support/messages.ts';

type Server = Awaited<ReturnType<typeof startKafka>>;
let server: Server;

beforeAll(async () => {
  server = await startKafka();
}, 60_000);
afterAll(async () => {
  await server.stop();
}, 30_000);

describeAdmin(
  { describe, it },
  {
    ...harness('kafka, administration', () => server),
    createAdmin: async () => createKafkaAdmin({ brokers: server.brokers, requestTimeoutMs: 20_000 }),
    partitions: 3,
    setting: { name: 'retention.ms', values: ['86400000', '172800000'] },
    refusedNames: ['a b', 'ä', '.', '..', 'x/y', 'x'.repeat(250)],
    membersAtWork: 'refused',
    deadlineMs: 20_000,
    quietMs: 500,
  },
);

describe('administration of Kafka', () => {
  const opened: { close(): Promise<void> }[] = [];
  const open = (options: Partial<KafkaAdminOptions> = {}): MessagingAdmin => {
    const admin = createKafkaAdmin({ brokers: server.brokers, requestTimeoutMs: 10_000, ...options });
    opened.push(admin);
    return admin;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  it('keeps tenants apart', async () => {
    const [one, other, all] = [open({ tenant: unique('t') }), open({ tenant: unique('t'), namespace: 'n' }), open()];
    for (const admin of [one, other]) expect(await admin.createTopic('orders')).toBe(true);
    await one.createGroup('orders', 'mail');
    expect(await one.listTopics()).toEqual(['orders']);
    expect(await one.listGroups('orders')).toEqual(['mail']);
    expect(await other.listGroups('orders')).toEqual([]);
    expect(await codeOf(other.describeGroup('orders', 'mail'))).toBe('UNKNOWN_GROUP');
    expect((await all.listTopics()).filter((topic) => topic.endsWith('.orders'))).toHaveLength(2);
    await one.deleteTopic('orders');
    expect(await other.listTopics()).toEqual(['orders']);
    await other.deleteTopic('orders');
  }, 15_000);

  it('hides topics of the toolkit and of the broker, and shows them when asked for', async () => {
    const admin = open();
    const [topic, log] = [unique('shown'), unique('log')];
    const transport = connect(server.brokers);
    opened.push(transport);
    const publisher = await transport.openCheckpointed(log, { topics: [topic] });
    await publisher.publish([{ topic, message: message(), position: 'p1' }], 'p1');
    await publisher.close();
    expect((await admin.listTopics()).filter((name) => name.startsWith('_') || name.includes(log))).toEqual([]);
    const internal = await admin.listTopics({ internal: true });
    expect(internal).toContain(`${log}-CHECKPOINT`);
    expect(internal.filter((name) => name.startsWith('__'))).toContain('__transaction_state');
    // The marker of the transaction is no message.
    await admin.createGroup(topic, 'g', 'earliest');
    expect(await admin.peek(topic, 'g')).toHaveLength(1);
    expect((await admin.describeGroup(topic, 'g')).backlog).toBe(1);
    expect(await admin.skip(topic, 'g', 10)).toBe(1);
    expect((await admin.describeGroup(topic, 'g')).backlog).toBe(0);
  }, 15_000);

  it('shows what others have written', async () => {
    const admin = open();
    const topic = unique('foreign');
    await admin.createTopic(topic, { partitions: 1 });
    await admin.createGroup(topic, 'g');
    const producer = new Kafka({ brokers: [server.brokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ key: 'k', value: 'text', headers: { 'X-Own': 'yes' } }] });
    await producer.disconnect();
    const [found] = await admin.peek(topic, 'g');
    expect(found).toMatchObject({ partition: 0, position: '0@0', message: { key: 'k', headers: { 'x-own': 'yes' } } });
    expect(String(found?.message.body)).toBe('text');
  }, 15_000);

  it('says what a broker refuses, and how to do better', async () => {
    const admin = open();
    for (const options of [
      { replicationFactor: 3 },
      { config: { 'no.such': '1' } },
      { config: { 'retention.ms': 'x' } },
    ]) {
      const failure = await admin.createTopic(unique('never'), options).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'CONFIGURATION', retryable: false });
      expect(String(failure)).toMatch(/kafka-adapter: cannot create topic "never-/);
    }
    expect(() => createKafkaAdmin({ brokers: 'nowhere' })).toThrow(/cannot create the admin/);
  }, 15_000);

  it('says that nobody answers when its time is over', async () => {
    expect(await codeOf(open({ brokers: '127.0.0.1:1', requestTimeoutMs: 1_000 }).listTopics())).toBe('CONNECTION');
    const admin = open({ requestTimeoutMs: 1_000 });
    await admin.listTopics();
    server.pause();
    try {
      expect(await codeOf(admin.listTopics())).toBe('TIMEOUT');
    } finally {
      server.resume();
    }
    await admin.listTopics();
  }, 15_000);
});
