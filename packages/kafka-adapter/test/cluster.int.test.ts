import { describeTransport, eventually as kitEventually, transportScenarios } from '@bento-bus/conformance';
import { type KafkaCluster, startKafkaCluster } from '@bento-bus/stack';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { createKafkaAdmin, type KafkaTransport } from '../src/index.ts';
import { connect, harness } from './support/harness.ts';
import { eventually, message, unique } from './support/messages.ts';

let cluster: KafkaCluster | undefined;
const brokers = (): string => (cluster as KafkaCluster).brokers;
const transports: KafkaTransport[] = [];

beforeAll(async () => {
  cluster = await startKafkaCluster();
}, 90_000);
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});
afterAll(async () => {
  await cluster?.stop();
}, 30_000);

/** A node of the cluster dies and comes back. */
const restart = async (): Promise<void> => {
  const [node] = (cluster as KafkaCluster).nodes;
  await node?.kill();
  await node?.restart();
};
const given = harness('kafka, three brokers', () => ({ brokers: brokers(), restart }));
const costly = transportScenarios.filter(
  (scenario) => scenario.unmet({ ...given, processes: undefined } as never) !== undefined,
);
/** What several brokers change; the rest of the kit passes on three of them in `npm run test:long`. */
const several = /restart|log|confirm|under load|delayed|many messages/;
const alike = process.env['LONG'] ? [] : transportScenarios.filter(({ name }) => !several.test(name));
describeTransport(
  { describe, it },
  {
    ...given,
    skip: Object.fromEntries([
      ...alike.map(({ name }) => [name, 'it is the same on one broker; on three in npm run test:long'] as const),
      ...costly.map(({ name }) => [name, 'processes are killed with one broker'] as const),
    ]),
  },
);

describe('a cluster of three', () => {
  it('is found well', async () => {
    const admin = createKafkaAdmin({ brokers: brokers() });
    // Brokers that were restarted are behind for a moment.
    await kitEventually(
      async () => expect((await admin.diagnose()).filter(({ level }) => level !== 'ok')).toEqual([]),
      { deadlineMs: 30_000, intervalMs: 100 },
    );
    await admin.close();
  }, 40_000);

  it('goes on when the leader of a partition is killed under load', async () => {
    const topic = unique('leader');
    const transport = connect(brokers());
    transports.push(transport);
    const handled = new Map<string, number>();
    const last = new Map<string, number>();
    const disorder: string[] = [];
    await transport.subscribe(
      [topic],
      async ({ message: { id, key = '' } }) => {
        const place = Number(id.slice(1));
        if (place < (last.get(key) ?? -1) && !handled.has(id)) disorder.push(id);
        last.set(key, Math.max(place, last.get(key) ?? -1));
        handled.set(id, (handled.get(id) ?? 0) + 1);
      },
      { group: unique('group'), concurrency: 16 },
    );
    const acknowledged = new Set<string>();
    const stop = new AbortController();
    const publisher = async (own: number): Promise<void> => {
      for (let place = own; !stop.signal.aborted; place += 8) {
        await transport.publish(topic, [message({ id: `m${place}`, key: `k${own}` })]);
        acknowledged.add(`m${place}`);
      }
    };
    const publishing = Promise.all(Array.from({ length: 8 }, (_, own) => publisher(own)));
    await eventually('some traffic', () => handled.size > 500);
    const admin = new Kafka({ brokers: brokers().split(','), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { brokers: nodes } = await admin.describeCluster();
    await admin.disconnect();
    const leader = nodes.find(({ nodeId }) => nodeId === topics[0]?.partitions[0]?.leader);
    const victim = cluster?.nodes.find((node) => node.brokers.endsWith(`:${leader?.port}`));
    await victim?.kill();
    const before = acknowledged.size;
    await eventually('traffic without the leader', () => acknowledged.size > before + 2_000);
    await victim?.restart();
    const since = acknowledged.size;
    await eventually('traffic with the leader', () => acknowledged.size > since + 500);
    stop.abort();
    await publishing;
    await eventually('handling all that was acknowledged', () => [...acknowledged].every((id) => handled.has(id)));
    expect(disorder).toEqual([]);
  }, 120_000);

  // The last one: its node stays dead.
  it('says that too few replicas are in sync, and stores again when they are', async () => {
    const admin = createKafkaAdmin({ brokers: brokers() });
    const topic = unique('replicas');
    await admin.createTopic(topic, { partitions: 2, replicationFactor: 3, config: { 'min.insync.replicas': '3' } });
    const single = unique('single');
    await admin.createTopic(single, { partitions: 6, replicationFactor: 1 });
    const transport = connect(brokers(), { publishTimeoutMs: 3_000 });
    transports.push(transport);
    await transport.publish(topic, [message()]);
    const [node] = (cluster as KafkaCluster).nodes;
    await node?.kill();
    const asking = new Kafka({ brokers: brokers().split(','), logLevel: logLevel.NOTHING }).admin();
    await asking.connect();
    const inSync = async (): Promise<readonly number[]> => {
      const { topics } = await asking.fetchTopicMetadata({ topics: [topic] });
      return (topics[0]?.partitions ?? []).map(({ isr }) => isr.length);
    };
    await kitEventually(async () => expect(await inSync()).toEqual([2, 2]), { deadlineMs: 20_000, intervalMs: 50 });
    await asking.disconnect();
    // A topic without a leader hides nothing of the others.
    await kitEventually(
      async () => {
        const findings = await admin.diagnose();
        expect(findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => `${check}: ${level}`)).toEqual([
          'kafka: reachable: warning',
          'kafka: partitions: fault',
        ]);
      },
      { deadlineMs: 20_000, intervalMs: 100 },
    );
    expect(await admin.listTopics()).toContain(topic);
    // At first a publish may still look for the node that is gone.
    await kitEventually(
      async () => {
        const failure = await transport.publish(topic, [message()]).catch((error: unknown) => error);
        expect(failure).toMatchObject({ code: 'PUBLISH', reason: 'REPLICAS', retryable: true, failed: [0] });
        expect(String(failure)).toMatch(/Too few replicas are in sync/);
      },
      { deadlineMs: 30_000 },
    );
    await admin.configureTopic(topic, { 'min.insync.replicas': '2' });
    await transport.publish(topic, [message()]);
    const { partitions } = await admin.describeTopic(topic);
    expect(partitions.reduce((sum, { messages }) => sum + messages, 0)).toBeGreaterThanOrEqual(2);
    await admin.close();
  }, 90_000);
});
