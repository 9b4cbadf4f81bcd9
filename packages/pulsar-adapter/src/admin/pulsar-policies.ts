import { BentoError } from '@bento-bus/core';
import { partitionTopic, type TopicName } from '../names.ts';
import type { AdminContext } from './context.ts';
import { type NamespacePolicyValues, type PolicyScope, policyScope, type TopicPolicyValues } from './policies.ts';

/** Who may use a tenant, and where. */
export interface TenantOptions {
  /** @default all clusters */
  readonly allowedClusters?: readonly string[];
  /** Roles that may make namespaces in it and grant permissions there. @default none: superusers only */
  readonly adminRoles?: readonly string[];
}

/** How a long-running work on a topic stands; of a partitioned one, the worst of its partitions. */
export interface WorkStatus {
  readonly state: 'none' | 'running' | 'done' | 'failed';
  /** Why it failed, in a sentence. */
  readonly reason?: string;
}

/**
 * What Pulsar has beyond other brokers. What names no namespace means the one of the options; a namespace is `tenant/name`, or a name in
 * the tenant of the options. `AUTHORIZATION` where the role may not; what is not there: `UNKNOWN_TOPIC`; what is still in use: `CONFIGURATION`.
 */
export interface PulsarPolicies {
  /** Clusters that this one knows, for geo-replication. Sorted. */
  listClusters(): Promise<readonly string[]>;
  listTenants(): Promise<readonly string[]>;
  /** True: made; false: it was there, and stays as it was. */
  createTenant(tenant: string, options?: TenantOptions): Promise<boolean>;
  describeTenant(tenant: string): Promise<Required<TenantOptions>>;
  /** What is not given stays. */
  updateTenant(tenant: string, options: TenantOptions): Promise<void>;
  /** Without namespaces only. True: it is gone; false: there was none. */
  deleteTenant(tenant: string): Promise<boolean>;
  /** As `tenant/name`, sorted. @default the tenant of the options */
  listNamespaces(tenant?: string): Promise<readonly string[]>;
  createNamespace(namespace: string): Promise<boolean>;
  /** Without topics only. */
  deleteNamespace(namespace: string): Promise<boolean>;
  namespace(namespace?: string): PolicyScope<NamespacePolicyValues>;
  /** Of a topic that is there. */
  topic(topic: string): PolicyScope<TopicPolicyValues>;
  /** Compacts a topic now: of each key the last message stays, for readers that ask for it. Resolves when it has begun. */
  compact(topic: string): Promise<void>;
  compaction(topic: string): Promise<WorkStatus>;
  /** Moves all but the segment at work to tiered storage. Resolves when it has begun; `UNSUPPORTED` where the broker has no offloader. */
  offload(topic: string): Promise<void>;
  offloading(topic: string): Promise<WorkStatus>;
}

interface LongRunning {
  readonly status: string;
  readonly lastError?: string;
}

const states: Readonly<Record<string, WorkStatus['state']>> = {
  NOT_RUN: 'none',
  RUNNING: 'running',
  SUCCESS: 'done',
  ERROR: 'failed',
};
const byWeight: readonly WorkStatus['state'][] = ['failed', 'running', 'none', 'done'];
const latest = '{"ledgerId":9223372036854775807,"entryId":9223372036854775807,"partitionIndex":-1}';

const part = (what: string, text: string): string => {
  if (typeof text === 'string' && /^[-=:.\w]+$/.test(text)) return encodeURIComponent(text);
  throw new BentoError(
    'CONFIGURATION',
    `pulsar-adapter: cannot ${what}: a name has letters, digits and -=:._ only. Correct it.`,
  );
};
const tenantPath = (what: string, name: string): string => `tenants/${part(what, name)}`;

export function pulsarPolicies(context: AdminContext, tenant: string): PulsarPolicies {
  const { rest, names } = context;

  const list = async (what: string, path: string): Promise<readonly string[]> =>
    ((await rest.json<readonly string[]>(what, path)) ?? []).toSorted();
  const listClusters = (): Promise<readonly string[]> => list('list the clusters', 'clusters');

  const namespaceOf = (what: string, name: string = names.namespace): string => {
    const parts = name.split('/');
    const [first = '', second = ''] = parts.length === 1 ? [tenant, ...parts] : parts;
    return `namespaces/${part(what, first)}/${part(what, parts.length > 2 ? name : second)}`;
  };
  const make = async (what: string, path: string, body?: string): Promise<boolean> =>
    (await rest.request(what, 'PUT', path, { fine: [409], ...(body !== undefined && { body }) })).status !== 409;
  const remove = async (what: string, path: string): Promise<boolean> =>
    (await rest.request(what, 'DELETE', path, { fine: [404] })).status !== 404;

  const describeTenant = async (name: string): Promise<Required<TenantOptions>> => {
    const what = `describe tenant "${name}"`;
    const { allowedClusters = [], adminRoles = [] } =
      (await rest.json<TenantOptions>(what, tenantPath(what, name))) ?? {};
    return { allowedClusters: allowedClusters.toSorted(), adminRoles: adminRoles.toSorted() };
  };

  const partsOf = async (topic: TopicName, doing: string): Promise<readonly TopicName[]> => {
    const count = await context.partitionsOf(topic, doing);
    return count === 0 ? [topic] : Array.from({ length: count }, (_, partition) => partitionTopic(topic, partition));
  };
  const status = async (name: string, work: 'compaction' | 'offload'): Promise<WorkStatus> => {
    const doing = `read the ${work} of`;
    const parts = await partsOf(names.topic(name, doing), doing);
    const all = await Promise.all(
      parts.map(async ({ full, path }): Promise<WorkStatus> => {
        const found = await rest.json<LongRunning>(`${doing} "${full}"`, `${path}/${work}`);
        const state = states[found?.status ?? 'NOT_RUN'] ?? 'none';
        const reason = found?.lastError?.replace(/^(?:[a-z]+\.)+\w+(?:Exception|Error): /, '').split('\n')[0];
        return state === 'failed' ? { state, reason: reason || 'no reason given' } : { state };
      }),
    );
    const worst = byWeight.find((state) => all.some((one) => one.state === state));
    return all.find((one) => one.state === worst) ?? { state: 'none' };
  };
  const begin = async (name: string, work: 'compaction' | 'offload', body?: string): Promise<void> => {
    const doing = work === 'offload' ? 'offload' : 'compact';
    // 409: it is running already.
    for (const { full, path } of await partsOf(names.topic(name, doing), doing))
      await rest.request(`${doing} topic "${full}"`, 'PUT', `${path}/${work}`, {
        fine: [409],
        ...(body !== undefined && { body }),
      });
  };

  return {
    listClusters,
    listTenants: () => list('list the tenants', 'tenants'),
    createTenant: async (name, { allowedClusters, adminRoles = [] } = {}) => {
      const what = `make tenant "${name}"`;
      const body = { allowedClusters: allowedClusters ?? (await listClusters()), adminRoles };
      return make(what, tenantPath(what, name), JSON.stringify(body));
    },
    describeTenant,
    updateTenant: async (name, options) => {
      const what = `change tenant "${name}"`;
      const body = { ...(await describeTenant(name)), ...options };
      await rest.request(what, 'POST', tenantPath(what, name), { body: JSON.stringify(body) });
    },
    deleteTenant: async (name) => remove(`delete tenant "${name}"`, tenantPath('delete a tenant', name)),
    listNamespaces: async (of = tenant) => {
      const what = `list the namespaces of "${of}"`;
      return list(what, `namespaces/${part(what, of)}`);
    },
    createNamespace: async (name) => make(`make namespace "${name}"`, namespaceOf('make a namespace', name)),
    deleteNamespace: async (name) => remove(`delete namespace "${name}"`, namespaceOf('delete a namespace', name)),
    namespace: (name = names.namespace) =>
      policyScope(rest, 'namespace', namespaceOf('use a namespace', name), `namespace "${name}"`),
    topic: (name) => {
      const topic = names.topic(name, 'use');
      return policyScope(rest, 'topic', topic.path, `topic "${topic.full}"`);
    },
    compact: (name) => begin(name, 'compaction'),
    compaction: (name) => status(name, 'compaction'),
    offload: async (name) => {
      await begin(name, 'offload', latest);
      const { reason = '' } = await status(name, 'offload');
      if (/does not support offload/.test(reason))
        throw new BentoError(
          'UNSUPPORTED',
          `pulsar-adapter: cannot offload topic "${name}": the broker has no offloader. Configure managedLedgerOffloadDriver.`,
        );
    },
    offloading: (name) => status(name, 'offload'),
  };
}
