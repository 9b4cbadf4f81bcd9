import type { Message } from '@bento-bus/core';
import { startKafka } from '@bento-bus/stack';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { createKafkaTransport, type KafkaTransport, type KafkaTransportOptions } from '../../src/index.ts';
import { platformatic } from '../../src/platformatic/index.ts';
import { codeOf, eventually, message, numbered, unique } from '../support/messages.ts';

type Server = Awaited<ReturnType<typeof startKafka>>;
let server: Server;
const transports: KafkaTransport[] = [];
const quick = { partitions: 4, sessionTimeoutMs: 2_000, rebalanceTimeoutMs: 3_000, heartbeatIntervalMs: 200 };
const open = (options: Partial<KafkaTransportOptions>): KafkaTransport => {
  const transport = createKafkaTransport({ brokers: server.brokers, ...quick, ...options });
  transports.push(transport);
  return transport;
};
const drivers = { kafkajs: {}, platformatic: { driver: platformatic() } };
const pairs = [
  ['kafkajs', 'platformatic'],
  ['platformatic', 'kafkajs'],
] as const;

beforeAll(async () => {
  server = await startKafka();
}, 60_000);
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});
afterAll(async () => {
  await server.stop();
}, 30_000);

const keyed = (): Message[] => Array.from({ length: 300 }, (_, place) => message({ key: `schlüssel-${place}` }));

describe('both drivers', () => {
  for (const [writer, reader] of pairs)
    it(`reads by ${reader} what ${writer} wrote, as it was, and goes on where a member by ${writer} stopped`, async () => {
      const topic = unique('both');
      const group = unique('group');
      const [one, other] = [open(drivers[writer]), open(drivers[reader])];
      const headers = { plain: 'text', odd: 'Grüße 🚚', empty: '' };
      const sent = Array.from({ length: 100 }, (_, place) => message({ key: `k${place % 10}`, headers }));
      const before: string[] = [];
      const subscription = await one.subscribe([topic], async (delivery) => void before.push(delivery.message.id), {
        group,
      });
      await one.publish(topic, sent);
      await eventually('handling by the first', () => before.length === sent.length);
      await subscription.close();
      await one.publish(topic, [message({ id: 'later', key: 'k1' })]);
      const after: string[] = [];
      await other.subscribe([topic], async (delivery) => void after.push(delivery.message.id), { group });
      const seen = new Map<string, unknown>();
      await other.subscribe([topic], async (delivery) => void seen.set(delivery.message.id, delivery.message), {
        group: unique('fresh'),
        startPosition: 'earliest',
      });
      await eventually('handling by the second', () => after.length > 0 && seen.size === 101);
      expect(after).toEqual(['later']);
      for (const given of sent)
        expect(seen.get(given.id)).toMatchObject({ key: given.key, headers: given.headers, type: given.type });
    });

  it('puts each key into the same partition', async () => {
    const topic = unique('partitions');
    const places = new Map<string, Set<string>>();
    const [one, other] = [open(drivers.kafkajs), open(drivers.platformatic)];
    let handled = 0;
    await one.subscribe(
      [topic],
      async ({ message: { key = '' }, position }) => {
        handled += 1;
        const [partition = ''] = position.split('@');
        places.set(key, (places.get(key) ?? new Set()).add(partition));
      },
      { group: unique('group') },
    );
    await one.publish(topic, keyed());
    await other.publish(topic, keyed());
    await eventually('handling all', () => handled === 600);
    expect(places.size).toBe(300);
    expect([...places.values()].filter((partitions) => partitions.size > 1)).toEqual([]);
    expect(new Set(Array.from(places.values(), (partitions) => [...partitions][0])).size).toBe(4);
  });

  it('shares a group: members come and go, and nothing is handled twice or left out', async () => {
    const topic = unique('shared');
    const group = unique('group');
    const [one, other] = [open(drivers.kafkajs), open(drivers.platformatic)];
    const handled = new Map<string, string[]>();
    const as =
      (name: string) =>
      async (delivery: { readonly message: { readonly id: string } }): Promise<void> => {
        const { id } = delivery.message;
        handled.set(id, [...(handled.get(id) ?? []), name]);
      };
    const by = (name: string): number => [...handled.values()].filter((names) => names.includes(name)).length;
    const first = await one.subscribe([topic], as('kafkajs'), { group });
    const second = await other.subscribe([topic], as('platformatic'), { group });
    await other.publish(
      topic,
      numbered(200, (place) => `k${place}`),
    );
    await eventually('handling all', () => handled.size === 200);
    expect([by('kafkajs') > 50, by('platformatic') > 50]).toEqual([true, true]);
    await first.close();
    await one.publish(
      topic,
      Array.from({ length: 200 }, (_, place) => message({ key: `k${place}` })),
    );
    await eventually('handling all by the one that is left', () => handled.size === 400);
    await second.close();
    expect([...handled].filter(([, names]) => names.length > 1)).toEqual([]);
  });

  for (const [before, after] of pairs)
    it(`fences a log that ${before} publishes by opening it on ${after}`, async () => {
      const topic = unique('fenced');
      const log = unique('log');
      const first = await open(drivers[before]).openCheckpointed(log, { topics: [topic] });
      await first.publish([{ topic, message: message(), position: '1' }], '1');
      const second = await open(drivers[after]).openCheckpointed(log, { topics: [topic] });
      expect(second.resumeAfter).toBe('1');
      expect(await codeOf(first.publish([{ topic, message: message(), position: '2' }], '2'))).toBe('FENCED');
      await second.publish([{ topic, message: message(), position: '2' }], '2');
    });
});

describe('the driver on @platformatic/kafka', () => {
  it('reads every compression that Kafka has', async () => {
    const topic = unique('packed');
    const transport = open(drivers.platformatic);
    const handled = new Map<string, number>();
    await transport.subscribe([topic], async ({ message: { id, body } }) => void handled.set(id, body?.length ?? 0), {
      group: unique('group'),
    });
    const { Producer } = await import('@platformatic/kafka');
    const producer = new Producer({ clientId: 'test', bootstrapBrokers: [server.brokers] });
    const packings = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
    for (const compression of packings)
      await producer.send({
        compression,
        messages: [1, 2].map((place) => ({
          topic,
          key: Buffer.from(compression),
          value: Buffer.alloc(1_000, 'x'),
          headers: new Map(
            Object.entries({ specversion: '1.0', id: `${compression}${place}`, type: 't', source: '/s' }).map(
              ([name, value]) => [Buffer.from(`ce_${name}`), Buffer.from(value)] as const,
            ),
          ),
        })),
      });
    await producer.close();
    await eventually('handling all', () => handled.size === 2 * packings.length);
    expect([...handled.keys()].toSorted()).toEqual(packings.flatMap((name) => [`${name}1`, `${name}2`]).toSorted());
    expect(new Set(handled.values())).toEqual(new Set([1_000]));
  });

  it('closes at once, also while it waits for messages', async () => {
    const topic = unique('closing');
    const transport = open(drivers.platformatic);
    const handled: string[] = [];
    const subscription = await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), {
      group: unique('group'),
    });
    await transport.publish(topic, [message({ id: 'one' })]);
    await eventually('handling it', () => handled.length === 1);
    const begun = performance.now();
    await subscription.close();
    await transport.close();
    // A fetch waits for 200 ms.
    expect(performance.now() - begun).toBeLessThan(150);
  });

  it('does not take a client of kafkajs besides', () => {
    const client = new Kafka({ brokers: [server.brokers], logLevel: logLevel.NOTHING });
    expect(() => createKafkaTransport({ client, driver: platformatic() })).toThrow(/cannot come with a driver/);
    expect(() => createKafkaTransport({ brokers: server.brokers, driver: { name: 'mine' } })).toThrow(
      /platformatic\(\)/,
    );
  });
});
