import { PublishError } from '@bento-bus/core';
import { startKafka } from '@bento-bus/stack';
import { describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { useBroker } from './support/broker.ts';
import { startChild } from './support/child.ts';
import { connect } from './support/harness.ts';
import { codeOf, eventually, message, numbered, unique } from './support/messages.ts';

const isOdd = (id: string): boolean => Number(id.slice(1)) % 2 === 1;

const server = useBroker();
const { open, client } = server;

describe('errors', () => {
  it('says so when a topic is missing and may not be made', async () => {
    const transport = open({ createTopics: false });
    const topic = unique('missing');
    expect(await codeOf(transport.publish(topic, [message()]))).toBe('UNKNOWN_TOPIC');
    expect(await codeOf(transport.subscribe([topic], async () => {}, { group: 'g' }))).toBe('UNKNOWN_TOPIC');
    expect(await codeOf(transport.openCheckpointed(unique('log'), { topics: [topic] }))).toBe('UNKNOWN_TOPIC');
  });

  it('makes topics by its own options, and none by asking, where the broker makes what is asked for', async () => {
    const other = await startKafka({ config: { 'auto.create.topics.enable': 'true' } });
    const admin = new Kafka({ brokers: [other.brokers], logLevel: logLevel.NOTHING }).admin();
    const [asked, made] = [unique('asked'), unique('made')];
    try {
      await using transport = connect(other.brokers, { createTopics: false });
      expect(await codeOf(transport.publish(asked, [message()]))).toBe('UNKNOWN_TOPIC');
      await using maker = connect(other.brokers, { partitions: 3 });
      await maker.publish(made, [message()]);
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: [made] });
      expect(topics[0]?.partitions.length).toBe(3);
      expect(await admin.listTopics()).not.toContain(asked);
    } finally {
      await admin.disconnect();
      await other.stop();
    }
  }, 30_000);

  it('refuses names that Kafka does not take', async () => {
    const transport = open();
    for (const name of ['', 'a b', 'ä', '.', 'x'.repeat(250)]) {
      expect(await codeOf(transport.publish(name, [message()]))).toBe('CONFIGURATION');
      expect(await codeOf(transport.subscribe([name], async () => {}, { group: 'g' }))).toBe('CONFIGURATION');
    }
  });

  it('finds out what is too large before it sends anything', async () => {
    const transport = open({ maxMessageBytes: 10_000 });
    const topic = unique('large');
    const large = message({ body: new Uint8Array(10_000) });
    expect(await codeOf(transport.publish(topic, [message(), large]))).toBe('OVERSIZE');
    await transport.publish(topic, [message({ body: new Uint8Array(9_000) })]);
  });

  it('tells which messages were not confirmed when no broker answers in time', async () => {
    const transport = open({ publishTimeoutMs: 1_500 });
    const topic = unique('down');
    await transport.publish(topic, [message()]);
    await server.kill();
    const begun = Date.now();
    const failure = await transport.publish(topic, [message(), message()]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PublishError);
    expect(failure).toMatchObject({ code: 'PUBLISH', retryable: true, failed: [0, 1] });
    expect(Date.now() - begun).toBeLessThan(4_000);
    await server.restart();
    await transport.publish(topic, [message()]);
  }, 60_000);

  it('says that nobody is there', async () => {
    const transport = open({ brokers: '127.0.0.1:1', requestTimeoutMs: 1_000, publishTimeoutMs: 1_000 });
    expect(await codeOf(transport.subscribe(['t'], async () => {}, { group: 'g' }))).toBe('CONNECTION');
    expect(await codeOf(transport.publish('t', [message()]))).toBe('PUBLISH');
  });
});

describe('a subscription', () => {
  it('aborts a handler that takes longer than a rebalance may, and takes its result for nothing', async () => {
    const topic = unique('slow');
    const group = unique('group');
    const first = open({ partitions: 2, rebalanceTimeoutMs: 1_500 });
    const stuck = new Set<string>();
    const aborted = new Set<string>();
    const wait = (id: string, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        stuck.add(id);
        signal.addEventListener('abort', () => {
          aborted.add(id);
          resolve();
        });
      });
    await first.subscribe([topic], ({ message: { id } }, signal) => wait(id, signal), {
      group,
      concurrency: 2,
      drainMs: 1,
    });
    await first.publish(
      topic,
      numbered(20, (place) => `k${place}`),
    );
    await eventually('both handlers at work', () => stuck.size === 2);
    const handled = new Set<string>();
    const second = open({ partitions: 2, rebalanceTimeoutMs: 1_500 });
    await second.subscribe([topic], async ({ message: { id } }) => void handled.add(id), { group });
    expect(aborted.size).toBe(2);
    await first.close();
    await eventually('the other member handling all', () => handled.size === 20);
  }, 60_000);

  it('lets other partitions flow while one stands still, and fetches nothing twice', async () => {
    const topic = unique('still');
    const transport = open();
    let held = true;
    const handled = new Set<string>();
    const held0 = (key: string | undefined): boolean => key === 'k0' && held;
    await transport.subscribe(
      [topic],
      async ({ message: { id, key } }) => {
        if (held0(key)) throw new Error('not yet');
        handled.add(id);
      },
      { group: unique('group'), concurrency: 4, maxHoldMs: 10, maxLaneBacklog: 2 },
    );
    // 'k0' alone is more than its lane, its partition's queue and a fetch can hold.
    const body = Buffer.alloc(500);
    const stuck = Array.from({ length: 6_000 }, (_, place) => message({ id: `m${place}`, key: 'k0', body }));
    await transport.publish(topic, stuck);
    const others = Array.from({ length: 400 }, (_, place) => message({ key: `other${place}` }));
    await transport.publish(topic, others);
    const flows = others.length / 2;
    await eventually('other partitions flowing', () => others.filter(({ id }) => handled.has(id)).length > flows);
    held = false;
    await eventually('handling all', () => handled.size === 6_400);
    expect(handled.size).toBe(6_400);
  }, 60_000);

  it('remembers what was done out of order when it closes', async () => {
    const topic = unique('gaps');
    const group = unique('group');
    const first = open({ partitions: 1 });
    const done = new Set<string>();
    await first.subscribe(
      [topic],
      async ({ message: { id } }) => {
        if (isOdd(id)) throw new Error('not yet');
        done.add(id);
      },
      { group, concurrency: 8, maxHoldMs: 600_000 },
    );
    await first.publish(
      topic,
      numbered(400, (place) => `k${place}`),
    );
    await eventually('handling every other one', () => done.size === 200);
    await first.close();
    const later: string[] = [];
    const attempts = new Set<number>();
    const second = open();
    await second.subscribe(
      [topic],
      async ({ message: { id }, attempt }) => {
        later.push(id);
        attempts.add(attempt);
      },
      { group },
    );
    await eventually('handling the rest', () => later.length >= 200);
    await second.publish(topic, [message({ id: 'end' })]);
    await eventually('handling the last', () => later.includes('end'));
    expect(later.filter((id) => id !== 'end' && !isOdd(id))).toEqual([]);
    expect(Math.max(...attempts)).toBeGreaterThan(1);
  }, 60_000);

  it('begins where somebody has set the offset by hand', async () => {
    const topic = unique('set');
    const group = unique('group');
    const transport = open({ partitions: 1 });
    const handled: string[] = [];
    const subscription = await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), {
      group,
    });
    await transport.publish(
      topic,
      numbered(10, (place) => `k${place}`),
    );
    await eventually('handling all', () => handled.length === 10);
    await subscription.close();
    const admin = client().admin();
    await admin.connect();
    await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '7' }] });
    await admin.disconnect();
    await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), { group });
    await eventually('handling what is behind it again', () => handled.length >= 13);
    expect(handled.slice(10)).toEqual(['m7', 'm8', 'm9']);
  }, 60_000);

  it('reads what others wrote before and after a transaction that was aborted', async () => {
    const topic = unique('aborted');
    const transport = open({ partitions: 1 });
    await transport.publish(topic, [message({ id: 'before' })]);
    const producer = client().producer({ transactionalId: unique('tx'), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'nothing', headers: {} }] });
    await transaction.abort();
    await producer.disconnect();
    await transport.publish(topic, [message({ id: 'after' })]);
    const handled: string[] = [];
    await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), {
      group: unique('group'),
    });
    await eventually('handling both', () => handled.length === 2);
    expect(handled).toEqual(['before', 'after']);
  }, 60_000);
});

describe('clients and processes', () => {
  it('leaves a client that it was given open', async () => {
    const given = client();
    const { createKafkaTransport } = await import('../src/index.ts');
    const mine = createKafkaTransport({ client: given });
    const topic = unique('given');
    const handled: string[] = [];
    await mine.subscribe([topic], async ({ message: { id } }) => void handled.push(id), { group: unique('group') });
    await mine.publish(topic, [message({ id: 'one' })]);
    await eventually('handling it', () => handled.length === 1);
    await mine.close();
    const admin = given.admin();
    await admin.connect();
    expect(await admin.listTopics()).toContain(topic);
    await admin.disconnect();
  }, 60_000);

  it('keeps no process alive once it is closed', async () => {
    const child = startChild('closing-child.ts', { KAFKA_BROKERS: server.brokers });
    await child.seen('closed');
    const begun = Date.now();
    expect(await child.ended).toBe(0);
    expect(Date.now() - begun).toBeLessThan(3_000);
    expect(child.stderr()).toBe('');
  }, 60_000);
});
