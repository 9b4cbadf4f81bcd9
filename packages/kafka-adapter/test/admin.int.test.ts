import { describeAdmin, eventually } from '@bento-bus/conformance';
import type { Diagnosing, Finding, MessagingAdmin } from '@bento-bus/core';
import { startKafka } from '@bento-bus/stack';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
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

/** By check, how bad it is. */
const complaints = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => [check, level]));

describe('administration of Kafka', () => {
  const opened: { close(): Promise<void> }[] = [];
  const open = (options: Partial<KafkaAdminOptions> = {}): MessagingAdmin & Diagnosing => {
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

  it('finds a healthy broker well, and says what it is', async () => {
    const findings = await open().diagnose();
    expect(complaints(findings)).toEqual({});
    const found = Object.fromEntries(findings.map((one) => [one.check, one.found]));
    expect(found).toMatchObject({
      'kafka: reachable': '1 broker answers',
      'kafka: credentials': 'none are asked for, without TLS',
      'kafka: version': '4.4; tried with 4.4',
      'kafka: auto.create.topics.enable': 'false',
      'kafka: transaction.state.log.replication.factor': '1',
    });
    expect(found['kafka: partitions']).toMatch(/^all \d+ have their leader/);
  }, 15_000);

  it('finds settings that will hurt, and says what to do', async () => {
    const client = new Kafka({ brokers: [server.brokers], logLevel: logLevel.NOTHING }).admin();
    await client.connect();
    const set = (configEntries: { name: string; value: string }[]) =>
      client.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.BROKER, name: '1', configEntries }],
      });
    await set([
      { name: 'message.max.bytes', value: '1000' },
      { name: 'unclean.leader.election.enable', value: 'true' },
      { name: 'log.retention.ms', value: '-1' },
    ]);
    const admin = open();
    const wrong = {
      'kafka: message.max.bytes': 'warning',
      'kafka: unclean.leader.election.enable': 'warning',
      'kafka: offsets.retention.minutes': 'warning',
    };
    let findings: readonly Finding[] = [];
    const soon = { deadlineMs: 10_000, intervalMs: 50 };
    await eventually(async () => {
      findings = await admin.diagnose();
      expect(complaints(findings)).toEqual(wrong);
    }, soon);
    const advised = findings.filter(({ advice = '' }) => /^[A-Z].+\.$/.test(advice)).map(({ check }) => check);
    expect(advised.toSorted()).toEqual(Object.keys(wrong).toSorted());
    await set([]);
    await eventually(async () => expect(complaints(await admin.diagnose())).toEqual({}), soon);
    await client.disconnect();
  }, 20_000);

  it('finds that nobody answers, and rejects for nothing', async () => {
    const [finding, ...others] = await open({ brokers: '127.0.0.1:1', requestTimeoutMs: 500 }).diagnose();
    expect(finding).toMatchObject({ check: 'kafka: reachable', level: 'fault' });
    expect(finding?.found).toMatch(/ECONNREFUSED/);
    expect(finding?.advice).toMatch(/See that the brokers run/);
    expect(others).toEqual([]);
    const closed = open();
    await closed.close();
    expect(complaints(await closed.diagnose())).toEqual({ 'kafka: reachable': 'fault' });
  }, 15_000);
});
