import { configurationError } from '@bento-bus/core';
import type { Retention } from '../admin.ts';
import type { TopicName } from '../names.ts';
import type { Rest } from './rest.ts';

/** How a schema may change: https://pulsar.apache.org/docs/4.0.x/schema-understand/#schema-compatibility-check-strategy. */
export type SchemaCompatibility =
  | 'ALWAYS_INCOMPATIBLE'
  | 'ALWAYS_COMPATIBLE'
  | 'BACKWARD'
  | 'FORWARD'
  | 'FULL'
  | 'BACKWARD_TRANSITIVE'
  | 'FORWARD_TRANSITIVE'
  | 'FULL_TRANSITIVE';

/** Policies of a topic, by name, and what they are set to. */
export interface TopicPolicyValues {
  /** How long messages stay once they are acknowledged. */
  readonly retention: Retention;
  /** Messages that nobody has acknowledged for so long are acknowledged by the broker. Seconds. */
  readonly messageTTL: number;
  /** What a producer sends twice is stored once. */
  readonly deduplication: boolean;
  /** The broker compacts a topic that has grown by so much. Bytes; 0: never by itself. */
  readonly compactionThreshold: number;
  /** Clusters that have a copy (geo-replication); the tenant must be allowed there. */
  readonly replicationClusters: readonly string[];
  readonly schemaCompatibility: SchemaCompatibility;
}

/** Policies of a namespace, which hold for those of its topics that have none of their own. */
export interface NamespacePolicyValues extends TopicPolicyValues {
  /** Above this size, old segments of a topic go to tiered storage, where the broker has an offloader. Bytes. */
  readonly offloadThreshold: number;
}

/** Where policies are set. */
export interface PolicyScope<Values> {
  /** What is set here; undefined: nothing, what lies above holds. */
  get<Policy extends keyof Values>(policy: Policy): Promise<Values[Policy] | undefined>;
  /** null takes it back. `CONFIGURATION` for a value that Pulsar does not have, and where it cannot be taken back. */
  set<Policy extends keyof Values>(policy: Policy, value: Values[Policy] | null): Promise<void>;
}

type PolicyName = keyof NamespacePolicyValues;

interface Place {
  readonly path: string;
  readonly method: 'POST' | 'PUT';
  /** The value goes into the query. */
  readonly query?: boolean;
  /** What is set to take it back, where it is not by DELETE; undefined: it cannot be. */
  readonly unset?: { readonly value: unknown };
}

interface Policy {
  readonly fault: (value: unknown) => string | undefined;
  readonly namespace: Place;
  readonly topic?: Place;
}

const strategies: ReadonlySet<unknown> = new Set<SchemaCompatibility>([
  'ALWAYS_INCOMPATIBLE',
  'ALWAYS_COMPATIBLE',
  'BACKWARD',
  'FORWARD',
  'FULL',
  'BACKWARD_TRANSITIVE',
  'FORWARD_TRANSITIVE',
  'FULL_TRANSITIVE',
]);

const must =
  (text: string, fine: (value: unknown) => boolean) =>
  (value: unknown): string | undefined =>
    fine(value) ? undefined : `must be ${text}`;
const whole = must('a whole number from 0', (value) => Number.isSafeInteger(value) && Number(value) >= 0);
const limit = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= -1;

/** All policies: where the REST API has them, and what they take. */
const policies: Readonly<Record<PolicyName, Policy>> = {
  retention: {
    fault: must('{ retentionTimeInMinutes, retentionSizeInMB }, whole numbers from -1', (value) => {
      const { retentionTimeInMinutes: minutes, retentionSizeInMB: size } = (value ?? {}) as Partial<Retention>;
      return limit(minutes) && limit(size);
    }),
    namespace: { path: 'retention', method: 'POST' },
    topic: { path: 'retention', method: 'POST' },
  },
  messageTTL: {
    fault: whole,
    namespace: { path: 'messageTTL', method: 'POST' },
    topic: { path: 'messageTTL', method: 'POST', query: true },
  },
  deduplication: {
    fault: must('true or false', (value) => typeof value === 'boolean'),
    namespace: { path: 'deduplication', method: 'POST' },
    topic: { path: 'deduplicationEnabled', method: 'POST' },
  },
  compactionThreshold: {
    fault: whole,
    namespace: { path: 'compactionThreshold', method: 'PUT' },
    topic: { path: 'compactionThreshold', method: 'POST' },
  },
  offloadThreshold: { fault: whole, namespace: { path: 'offloadThreshold', method: 'PUT', unset: { value: -1 } } },
  replicationClusters: {
    fault: must('a list of names of clusters', (value) => Array.isArray(value) && value.length > 0),
    namespace: { path: 'replication', method: 'POST', unset: { value: undefined } },
    topic: { path: 'replication', method: 'POST' },
  },
  schemaCompatibility: {
    fault: must(`one of ${[...strategies].join(', ')}`, (value) => strategies.has(value)),
    // The broker takes any other text for UNDEFINED.
    namespace: { path: 'schemaCompatibilityStrategy', method: 'PUT', unset: { value: 'UNDEFINED' } },
    topic: { path: 'schemaCompatibilityStrategy', method: 'PUT' },
  },
};
const names = Object.keys(policies) as readonly PolicyName[];
const topicNames = names.filter((name) => policies[name].topic !== undefined);

/** The policies at `path`, of which `where` says what it is: `topic "orders"`. */
export function policyScope<Values>(
  rest: Rest,
  level: 'namespace' | 'topic',
  path: string,
  where: string,
): PolicyScope<Values> {
  const placeOf = (what: string, name: PropertyKey): Place => {
    const place = Object.hasOwn(policies, name) ? policies[name as PolicyName][level] : undefined;
    if (place !== undefined) return place;
    const known = (level === 'topic' ? topicNames : names).join(', ');
    throw configurationError(`pulsar-adapter: cannot ${what}`, [`there is no policy "${String(name)}", but ${known}`]);
  };
  return {
    get: async (name) => {
      const what = `read policy "${String(name)}" of ${where}`;
      const { path: last, unset } = placeOf(what, name);
      const value = await rest.json<never>(what, `${path}/${last}`);
      return value === unset?.value ? undefined : value;
    },
    set: async (name, value) => {
      const what = `set policy "${String(name)}" of ${where}`;
      const { path: last, method, query = false, unset } = placeOf(what, name);
      if (value === null && unset === undefined) {
        await rest.request(what, 'DELETE', `${path}/${last}`);
        return;
      }
      const next = value ?? unset?.value;
      const fault = value === null ? undefined : policies[name as PolicyName].fault(value);
      if (next === undefined || fault !== undefined)
        throw configurationError(`pulsar-adapter: cannot ${what}`, [
          `it ${fault ?? 'cannot be taken back: set what is to hold'}`,
        ]);
      const body = JSON.stringify(next);
      if (query) await rest.request(what, method, `${path}/${last}?${last}=${encodeURIComponent(body)}`);
      else await rest.request(what, method, `${path}/${last}`, { body });
    },
  };
}

/** Policies of topics as settings: by name, as JSON. */
export interface Settings {
  /** What is set on the topic itself. */
  of(topic: TopicName): Promise<Readonly<Record<string, string>>>;
  change(topic: TopicName, config: Readonly<Record<string, string | null>>): Promise<void>;
}

export function topicSettings(rest: Rest): Settings {
  const scopeOf = (topic: TopicName): PolicyScope<TopicPolicyValues> =>
    policyScope(rest, 'topic', topic.path, `topic "${topic.full}"`);
  return {
    of: async (topic) => {
      const scope = scopeOf(topic);
      const values = await Promise.all(topicNames.map((name) => scope.get(name as keyof TopicPolicyValues)));
      const set = topicNames.map((name, at) => [name, values[at]] as const).filter(([, value]) => value !== undefined);
      return Object.fromEntries(set.map(([name, value]) => [name, JSON.stringify(value)]));
    },
    // One after the other: the broker writes the whole record of a topic's policies each time.
    change: async (topic, config) => {
      const scope = scopeOf(topic);
      for (const [name, text] of Object.entries(config))
        await scope.set(name as keyof TopicPolicyValues, text === null ? null : (JSON.parse(text) as never));
    },
  };
}

/** Throws one `CONFIGURATION` error that names every fault of settings. */
export function checkSettings(what: string, config: Readonly<Record<string, string | null>>): void {
  const faults: string[] = [];
  for (const [name, text] of Object.entries(config)) {
    const policy = (topicNames as readonly string[]).includes(name) ? policies[name as PolicyName] : undefined;
    if (policy === undefined) faults.push(`config has "${name}", which is none of ${topicNames.join(', ')}`);
    else if (text !== null) {
      const fault = policy.fault(jsonOf(text));
      if (fault !== undefined) faults.push(`config.${name} ${fault}, as JSON`);
    }
  }
  if (faults.length > 0) throw configurationError(`pulsar-adapter: cannot ${what}`, faults);
}

function jsonOf(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
