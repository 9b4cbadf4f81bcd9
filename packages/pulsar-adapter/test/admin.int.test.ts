import { describeAdmin } from '@bento-bus/conformance';
import type { Finding, Message } from '@bento-bus/core';
import { createPulsarAdmin, type PulsarAdmin, type PulsarAdminOptions } from '@bento-bus/pulsar-adapter';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Broker, connect, startBroker } from './support/harness.ts';
import { harnessOf } from './support/kit-harness.ts';
import { uniqueName } from './support/names.ts';
import { until } from './support/poll.ts';

let broker: Broker;
let admin: PulsarAdmin;
const adminOf = (options: PulsarAdminOptions = {}): PulsarAdmin =>
  createPulsarAdmin({ serviceUrl: broker.serviceUrl, webUrl: broker.webUrl, ...options });
beforeAll(async () => {
  broker = await startBroker();
  admin = adminOf();
});
afterAll(async () => {
  await admin.close();
  await broker.stop();
});

const endpoints = {
  get serviceUrl() {
    return broker.serviceUrl;
  },
  get webUrl() {
    return broker.webUrl;
  },
};

describeAdmin(
  { describe, it },
  {
    ...harnessOf(endpoints, 'websocket', (options) => connect(broker, options)),
    name: 'Administration of Pulsar',
    createAdmin: async () => adminOf(),
    partitions: 3,
    setting: { name: 'messageTTL', values: ['3600', '7200'] },
    refusedNames: ['a/b', 'tab\tinside'],
    membersAtWork: 'cut off',
  },
);

const errorOf = async (work: Promise<unknown>): Promise<Error & { code?: string }> => {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it resolved');
};

describe('what only Pulsar has', () => {
  it('makes, changes, lists and deletes tenants and namespaces', async () => {
    const { policies } = admin;
    const tenant = uniqueName('tenant');
    expect(await policies.createTenant(tenant, { adminRoles: ['b', 'a'] })).toBe(true);
    expect(await policies.createTenant(tenant)).toBe(false);
    expect(await policies.describeTenant(tenant)).toEqual({ allowedClusters: ['standalone'], adminRoles: ['a', 'b'] });
    await policies.updateTenant(tenant, { adminRoles: ['c'] });
    expect(await policies.describeTenant(tenant)).toEqual({ allowedClusters: ['standalone'], adminRoles: ['c'] });
    expect(await policies.listTenants()).toContain(tenant);
    expect(await policies.createNamespace(`${tenant}/two`)).toBe(true);
    expect(await policies.createNamespace(`${tenant}/two`)).toBe(false);
    const inTenant = adminOf({ tenant, namespace: 'one' });
    expect(await inTenant.policies.createNamespace('one')).toBe(true);
    expect(await inTenant.policies.listNamespaces()).toEqual([`${tenant}/one`, `${tenant}/two`]);
    await inTenant.createTopic('orders');
    expect(await inTenant.listTopics()).toEqual(['orders']);
    expect(await errorOf(inTenant.policies.deleteNamespace('one'))).toMatchObject({ code: 'CONFIGURATION' });
    expect(await inTenant.deleteTopic('orders')).toBe(true);
    await inTenant.close();
    expect(await errorOf(policies.deleteTenant(tenant))).toMatchObject({ code: 'CONFIGURATION' });
    expect(await policies.deleteNamespace(`${tenant}/one`)).toBe(true);
    expect(await policies.deleteNamespace(`${tenant}/two`)).toBe(true);
    expect(await policies.deleteTenant(tenant)).toBe(true);
    expect(await policies.deleteTenant(tenant)).toBe(false);
  });

  it('sets each policy of a namespace, and takes it back', async () => {
    const name = uniqueName('public/policies');
    await admin.policies.createNamespace(name);
    const scope = admin.policies.namespace(name);
    const values = {
      retention: { retentionTimeInMinutes: 10, retentionSizeInMB: -1 },
      messageTTL: 60,
      deduplication: true,
      compactionThreshold: 1_000_000,
      offloadThreshold: 5_000_000_000,
      schemaCompatibility: 'BACKWARD',
    } as const;
    for (const [key, value] of Object.entries(values)) {
      const policy = key as keyof typeof values;
      expect([policy, await scope.get(policy)]).toEqual([policy, undefined]);
      await scope.set(policy, value);
      expect([policy, await scope.get(policy)]).toEqual([policy, value]);
      await scope.set(policy, null);
      expect([policy, await scope.get(policy)]).toEqual([policy, undefined]);
    }
    const clusters = await admin.policies.listClusters();
    expect(clusters).toEqual(['standalone']);
    await scope.set('replicationClusters', clusters);
    expect(await scope.get('replicationClusters')).toEqual(clusters);
    expect(await errorOf(scope.set('replicationClusters', null))).toMatchObject({ code: 'CONFIGURATION' });
    expect(await errorOf(scope.set('schemaCompatibility', 'NONSENSE' as 'FULL'))).toMatchObject({
      code: 'CONFIGURATION',
    });
  });

  it('sets each policy of a topic, and takes it back', async () => {
    const topic = uniqueName('topic');
    await admin.createTopic(topic, { partitions: 2 });
    const scope = admin.policies.topic(topic);
    const values = {
      retention: { retentionTimeInMinutes: 10, retentionSizeInMB: 100 },
      messageTTL: 60,
      deduplication: true,
      compactionThreshold: 1_000_000,
      replicationClusters: ['standalone'],
      schemaCompatibility: 'FULL_TRANSITIVE',
    } as const;
    for (const [key, value] of Object.entries(values)) {
      const policy = key as keyof typeof values;
      await scope.set(policy, value);
      await until(policy, async () => JSON.stringify(await scope.get(policy)) === JSON.stringify(value));
    }
    const { config } = await admin.describeTopic(topic);
    expect(config).toEqual(
      Object.fromEntries(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)])),
    );
    await admin.configureTopic(topic, Object.fromEntries(Object.keys(values).map((key) => [key, null])));
    await until('no policy', async () => Object.keys((await admin.describeTopic(topic)).config).length === 0);
  });

  it('compacts a topic, and says clearly that there is no offloader', async () => {
    const topic = uniqueName('topic');
    await admin.createTopic(topic, { partitions: 2 });
    const transport = connect(broker);
    await transport.publish(topic, messages(20));
    await transport.close();
    expect(await admin.policies.compaction(topic)).toEqual({ state: 'none' });
    await admin.policies.compact(topic);
    await until('compaction', async () => (await admin.policies.compaction(topic)).state === 'done');
    const error = await errorOf(admin.policies.offload(topic));
    expect(error).toMatchObject({ code: 'UNSUPPORTED' });
    expect(error.message).toMatch(/has no offloader\. Configure \S+\.$/);
    expect(await admin.policies.offloading(topic)).toEqual({
      state: 'failed',
      reason: expect.stringMatching(/^\[NullLedgerOffloader\] does not support offload$/),
    });
  });
});

/** By check, how bad it is. */
const complaints = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => [check, level]));

/** Changes a setting of the running broker. */
async function set(name: string, value: string): Promise<number> {
  return (await fetch(`${broker.webUrl}/admin/v2/brokers/configuration/${name}/${value}`, { method: 'POST' })).status;
}

describe('diagnosis of Pulsar', () => {
  it('finds a healthy broker well, and says what it is', async () => {
    const findings = await admin.diagnose();
    expect(complaints(findings)).toEqual({});
    expect(Object.fromEntries(findings.map((one) => [one.check, one.found]))).toMatchObject({
      'pulsar: reachable': 'the broker answers',
      'pulsar: version': '4.2.4; tried with 4.2',
      'pulsar: namespace': expect.stringMatching(/^public\/default, with \d+ topics/),
      'pulsar: webSocketServiceEnabled': 'true',
      'pulsar: transactionCoordinatorEnabled': 'false',
    });
  });

  it('finds a setting that will hurt, and a namespace that is not there', async () => {
    const risky = 'brokerDeleteInactiveTopicsEnabled';
    const lost = adminOf({ namespace: uniqueName('nowhere') });
    expect(await set(risky, 'true')).toBeLessThan(300);
    let findings: readonly Finding[] = [];
    const expected = { 'pulsar: namespace': 'fault', [`pulsar: ${risky}`]: 'warning' };
    await until('the setting', async () => {
      findings = await lost.diagnose();
      return Object.keys(complaints(findings)).length === 2;
    });
    expect(complaints(findings)).toEqual(expected);
    const advised = findings.filter(({ advice = '' }) => /^[A-Z].+\.$/.test(advice)).map(({ check }) => check);
    expect(advised.toSorted()).toEqual(Object.keys(expected).toSorted());
    await set(risky, 'false');
    await until('it is back', async () => Object.keys(complaints(await admin.diagnose())).length === 0);
    await lost.close();
  });

  it('finds that nobody answers, and rejects for nothing', async () => {
    const dead = adminOf({ webUrl: 'http://127.0.0.1:1', requestTimeoutMs: 500 });
    const [finding, ...others] = await dead.diagnose();
    expect(finding).toMatchObject({ check: 'pulsar: reachable', level: 'fault' });
    expect(finding?.found).toMatch(/ECONNREFUSED/);
    expect(finding?.advice).toMatch(/See that the broker runs/);
    expect(others).toEqual([]);
    await dead.close();
    expect(complaints(await dead.diagnose())).toEqual({ 'pulsar: reachable': 'fault' });
  });
});

const messages = (count: number, prefix = 'm'): Message[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${prefix}${index}`,
    type: 'test.event',
    source: '/test',
    time: Date.now(),
    key: `k${index % 50}`,
    headers: {},
    body: Buffer.from(String(index)),
  }));
