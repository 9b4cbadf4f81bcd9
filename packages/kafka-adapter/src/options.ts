import { configurationError, type Logger, silentLogger } from '@bento-bus/core';
import { cloudEvents, type WireFormat } from '@bento-bus/core/adapter';
import type { Kafka } from 'kafkajs';
import { isDriver, type KafkaDriver } from './driver-choice.ts';
import { faultsOfConnection, type KafkaConnection } from './security.ts';

/** Options of `createKafkaTransport`: exactly one of `brokers` and `client`. */
export interface KafkaTransportOptions {
  /** For logs and metrics. @default 'kafka' */
  readonly name?: string;
  /** Addresses to begin with, `['host:9092', …]` or `'host:9092,host2:9092'`. */
  readonly brokers?: string | readonly string[];
  /** A client of yours, of kafkajs 2.2; it is not closed. `clientId`, `connection` and `requestTimeoutMs` are then its own. */
  readonly client?: Kafka;
  /** The client to work with, for example `platformatic()` of `@bento-bus/kafka-adapter/platformatic`; not with `client`. @default kafkajs */
  readonly driver?: KafkaDriver;
  /** How brokers name this program in logs and quotas. @default 'bento-bus' */
  readonly clientId?: string;
  /** TLS and credentials. @default no TLS, no authentication */
  readonly connection?: KafkaConnection;
  /**
   * With `namespace`: topics, groups and logs are this tenant's own. At the brokers their names begin with `<tenant>.<namespace>.`
   * @default none: names as they are
   */
  readonly tenant?: string;
  /** @default none; with `tenant`, 'default' */
  readonly namespace?: string;
  /** Makes topics that are missing on publish and subscribe. False: they are an `UNKNOWN_TOPIC` error. @default true */
  readonly createTopics?: boolean;
  /** Partitions of topics that are made: how many members of a group can share one. @default the broker's `num.partitions` */
  readonly partitions?: number;
  /** Replicas of topics that are made. @default the broker's `default.replication.factor` */
  readonly replicationFactor?: number;
  /** A member from which nothing was heard for so long is dead: its partitions go to others. Milliseconds. @default 30_000 */
  readonly sessionTimeoutMs?: number;
  /**
   * When members come or go, handlers at work get this long, less a fifth for the join itself, before their signal aborts. Milliseconds.
   * @default 60_000
   */
  readonly rebalanceTimeoutMs?: number;
  /** Milliseconds. @default a third of `sessionTimeoutMs`, 3_000 at most */
  readonly heartbeatIntervalMs?: number;
  /** Messages of one partition handed to a subscription's lanes and not yet acknowledged. @default the largest of 1_000, 2 * concurrency * size and 2 * maxLaneBacklog */
  readonly maxInFlight?: number;
  /** Progress is committed this often while there is some; what was acknowledged since then comes again after a crash. Milliseconds. @default 100 */
  readonly commitIntervalMs?: number;
  /** An answer of a broker must come within this. Milliseconds. @default 30_000 */
  readonly requestTimeoutMs?: number;
  /** How long `publish` tries before it fails. Milliseconds. @default 30_000 */
  readonly publishTimeoutMs?: number;
  /**
   * Largest message, key and headers included, and largest batch to one partition: no more than the smallest `max.message.bytes` of the
   * topics (by default 1,048,588). Bytes. @default 1_000_000
   */
  readonly maxMessageBytes?: number;
  /** How messages look on topics. @default cloudEvents */
  readonly format?: WireFormat;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/** Options with every default filled in. */
export interface ResolvedOptions
  extends Required<
    Omit<
      KafkaTransportOptions,
      | 'brokers'
      | 'client'
      | 'driver'
      | 'connection'
      | 'tenant'
      | 'namespace'
      | 'partitions'
      | 'replicationFactor'
      | 'maxInFlight'
    >
  > {
  readonly brokers: readonly string[];
  readonly client: Kafka | undefined;
  readonly driver: KafkaDriver | undefined;
  readonly tenant: string | undefined;
  readonly namespace: string | undefined;
  readonly connection: KafkaConnection;
  readonly partitions: number | undefined;
  readonly replicationFactor: number | undefined;
  readonly maxInFlight: number | undefined;
}

const numbers = {
  partitions: [1, 100_000],
  replicationFactor: [1, 100],
  sessionTimeoutMs: [100, 86_400_000],
  rebalanceTimeoutMs: [100, 86_400_000],
  heartbeatIntervalMs: [10, 3_600_000],
  maxInFlight: [1, 10_000_000],
  commitIntervalMs: [1, 3_600_000],
  requestTimeoutMs: [100, 3_600_000],
  publishTimeoutMs: [100, 86_400_000],
  maxMessageBytes: [1_024, 1_073_741_824],
} as const satisfies Partial<Record<keyof KafkaTransportOptions, readonly [number, number]>>;

/** Checks the options and fills in the defaults. Throws one `CONFIGURATION` error that names every fault. */
export function resolveOptions(given: KafkaTransportOptions, what = 'the transport'): ResolvedOptions {
  const { sessionTimeoutMs = 30_000, client } = given;
  const resolved: ResolvedOptions = {
    name: given.name ?? 'kafka',
    brokers: listed(given.brokers),
    client,
    driver: given.driver,
    clientId: given.clientId ?? 'bento-bus',
    connection: given.connection ?? {},
    tenant: given.tenant,
    namespace: given.namespace ?? (given.tenant === undefined ? undefined : 'default'),
    createTopics: given.createTopics ?? true,
    partitions: given.partitions,
    replicationFactor: given.replicationFactor,
    sessionTimeoutMs,
    rebalanceTimeoutMs: given.rebalanceTimeoutMs ?? 60_000,
    heartbeatIntervalMs: given.heartbeatIntervalMs ?? Math.min(3_000, Math.floor(sessionTimeoutMs / 3)),
    maxInFlight: given.maxInFlight,
    commitIntervalMs: given.commitIntervalMs ?? 100,
    requestTimeoutMs: given.requestTimeoutMs ?? 30_000,
    publishTimeoutMs: given.publishTimeoutMs ?? 30_000,
    maxMessageBytes: given.maxMessageBytes ?? 1_000_000,
    format: given.format ?? cloudEvents,
    logger: given.logger ?? silentLogger,
  };
  const faults: string[] = [];
  const check = (fine: boolean, fault: string): void => {
    if (!fine) faults.push(fault);
  };
  check(isName(resolved.name), 'name must be a name, not empty');
  check(isName(resolved.clientId), 'clientId must be a name, not empty');
  check((client === undefined) !== (given.brokers === undefined), 'exactly one of brokers and client must be given');
  if (given.brokers !== undefined)
    check(
      resolved.brokers.length > 0 && resolved.brokers.every((broker) => /^[^\s,]+:\d+$/.test(broker)),
      `brokers must be addresses like 'host:9092', not ${JSON.stringify(given.brokers)}`,
    );
  check(given.namespace === undefined || given.tenant !== undefined, 'namespace must come with a tenant');
  for (const name of ['tenant', 'namespace'] as const)
    check(
      resolved[name] === undefined || /^[A-Za-z0-9_-]{1,100}$/.test(resolved[name]),
      `${name} must be of letters, digits, "_" and "-", not ${JSON.stringify(resolved[name])}`,
    );
  faults.push(...faultsOfConnection(resolved.connection));
  check(given.driver === undefined || isDriver(given.driver), 'driver must be made by platformatic()');
  check(client === undefined || given.driver === undefined, 'client is one of kafkajs, and cannot come with a driver');
  check(client === undefined || typeof client.consumer === 'function', 'client must be a Kafka object of kafkajs');
  for (const [name, [least, most]] of Object.entries(numbers)) {
    const value = resolved[name as keyof typeof numbers];
    check(
      value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most),
      `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`,
    );
  }
  check(
    !(resolved.heartbeatIntervalMs >= sessionTimeoutMs),
    `heartbeatIntervalMs (${resolved.heartbeatIntervalMs}) must be less than sessionTimeoutMs (${sessionTimeoutMs})`,
  );
  check(typeof resolved.createTopics === 'boolean', 'createTopics must be true or false');
  check(
    typeof resolved.format.encode === 'function' && typeof resolved.format.decode === 'function',
    'format must have encode and decode',
  );
  if (faults.length > 0) throw configurationError(`kafka-adapter: cannot create ${what}`, faults);
  return resolved;
}

const isName = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

function listed(brokers: KafkaTransportOptions['brokers']): readonly string[] {
  if (brokers === undefined) return [];
  return (typeof brokers === 'string' ? brokers.split(',') : [...brokers]).map((broker) => broker.trim());
}
