import { eventually } from '@bento-bus/conformance';
import type { MessagingAdmin } from '@bento-bus/core';
import { startKafka } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { createKafkaAdmin } from '../src/index.ts';
import { unique } from './support/messages.ts';

type Server = Awaited<ReturnType<typeof startKafka>>;
let server: Server;
let admin: MessagingAdmin;
const topics = Array.from({ length: 1_000 }, (_, index) => `many-${String(index).padStart(4, '0')}`);

/** All of them in `npm run test:long`. */
const described = process.env['LONG'] === undefined ? topics.slice(0, 100) : topics;

/** Figures of a machine under load prove nothing: they are shown. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  process.stdout.write(`figure: ${what}: ${Math.round(performance.now() - begun)} ms\n`);
  return result;
}

beforeAll(async () => {
  server = await startKafka();
  admin = createKafkaAdmin({ brokers: server.brokers });
  const client = new Kafka({ brokers: [server.brokers], logLevel: logLevel.NOTHING }).admin();
  await client.connect();
  const hasAll = async (): Promise<boolean> => (await client.listTopics()).length >= topics.length;
  await timed('making 1,000 topics', async () => {
    for (let first = 0; first < topics.length; first += 250)
      await client.createTopics({
        topics: topics.slice(first, first + 250).map((topic) => ({ topic, numPartitions: 1 })),
        waitForLeaders: false,
        timeout: 30_000,
      });
    await eventually(hasAll, { deadlineMs: 60_000, intervalMs: 50, what: 'the broker knowing all topics' });
  });
  await client.disconnect();
}, 120_000);
afterAll(async () => {
  await admin.close();
  await server.stop();
}, 30_000);

describe('a broker with 1,000 topics', () => {
  it('is listed and described', async () => {
    const listed = await timed('listing 1,000 topics', () => admin.listTopics());
    expect(listed).toEqual(topics);
    await timed(`describing ${described.length} topics, all at once`, () =>
      Promise.all(described.map((topic) => admin.describeTopic(topic))),
    );
  }, 60_000);

  it('shows a group with a backlog of 100,000 messages', async () => {
    const [topic, group] = [topics[7] as string, unique('group')];
    await admin.setPartitions(topic, 6);
    await admin.createGroup(topic, group);
    const producer = new Kafka({ brokers: [server.brokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    for (let round = 0; round < 20; round += 1)
      await producer.send({
        topic,
        messages: Array.from({ length: 5_000 }, (_, index) => ({ key: `k${index % 100}`, value: 'x' })),
      });
    await producer.disconnect();
    const { backlog } = await timed('describing a group with 100,000 messages before it', () =>
      admin.describeGroup(topic, group),
    );
    expect(backlog).toBe(100_000);
    expect(await timed('peeking at 10 of each partition', () => admin.peek(topic, group))).toHaveLength(60);
    expect(await timed('skipping 30,000 of them', () => admin.skip(topic, group, 5_000))).toBe(30_000);
    await timed('moving it to the beginning', () => admin.reset(topic, group, 'earliest'));
    expect((await admin.describeGroup(topic, group)).backlog).toBe(100_000);
  }, 60_000);

  it('lists the groups of a topic among 100', async () => {
    const [one, other] = [topics[1] as string, topics[2] as string];
    const groups = Array.from({ length: 100 }, () => unique('crowd'));
    await timed('making 100 groups, all at once', () =>
      Promise.all(groups.map((group, index) => admin.createGroup(index % 2 === 0 ? one : other, group))),
    );
    const listed = await timed('listing the groups of a topic', () => admin.listGroups(one));
    expect(listed).toEqual(groups.filter((_, index) => index % 2 === 0).toSorted());
  }, 60_000);
});
