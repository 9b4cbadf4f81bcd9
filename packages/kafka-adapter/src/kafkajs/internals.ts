import { configurationError } from '@bento-bus/core';
import type { Broker, BrokerMetadata, Cluster, CoordinatorMetadata, GroupDescription, Kafka } from 'kafkajs';
import { failFast } from './security.ts';

// What we use of kafkajs 2.2.4 (the last version, pinned) that its types leave out.

/** The two connections to a broker. */
export interface InternalConnectionPool {
  readonly host: string;
  readonly port: number;
  readonly ssl: unknown;
  readonly sasl: unknown;
  send(request: InternalRequest): Promise<unknown>;
  destroy(): Promise<void>;
}

/** The requests of a broker that a consumer makes; a cluster's brokers belong to one consumer or producer alone. */
export interface InternalBroker extends Omit<Broker, 'offsetCommit' | 'offsetFetch' | 'fetch' | 'describeGroups'> {
  readonly connectionPool: InternalConnectionPool;
  connect(): Promise<void>;
  findGroupCoordinator(request: object): Promise<CoordinatorMetadata>;
  metadata(topics?: string[]): Promise<BrokerMetadata>;
  joinGroup(request: object): Promise<{ readonly generationId: number; readonly memberId: string }>;
  syncGroup(request: object): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: object): Promise<unknown>;
  offsetCommit(request: object): Promise<unknown>;
  offsetFetch(request: object): Promise<{
    readonly responses: readonly {
      readonly topic: string;
      readonly partitions: readonly { partition: number; offset: string; metadata: string | null }[];
    }[];
  }>;
  fetch(request: object): Promise<{
    readonly responses: readonly { readonly partitions: readonly InternalPartitionData[] }[];
  }>;
  listOffsets(request: object): Promise<{
    readonly responses: readonly { readonly partitions: readonly { partition: number; offset: string }[] }[];
  }>;
  listGroups(): Promise<{ readonly groups: readonly { readonly groupId: string }[] }>;
  describeGroups(request: { groupIds: readonly string[] }): Promise<{ readonly groups: readonly GroupDescription[] }>;
  createTopics(request: object): Promise<unknown>;
  createPartitions(request: object): Promise<unknown>;
  deleteTopics(request: object): Promise<unknown>;
  describeConfigs(request: object): Promise<{
    readonly resources: readonly {
      readonly configEntries: readonly {
        readonly configName: string;
        readonly configValue: string | null;
        readonly configSource: number;
      }[];
    }[];
  }>;
}

/** A request on its way to a broker, and who reads the answer. */
interface InternalRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName?: string;
    readonly encode?: () => Promise<object>;
  };
  readonly response: { readonly decode: (raw: Buffer) => Promise<unknown>; readonly parse: unknown };
}

/** A record as it lies in the log, control records included. */
export interface InternalRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

interface InternalPartitionData {
  readonly partition: number;
  readonly messages: readonly InternalRecord[];
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
}

/** The connections of one consumer or producer. */
export interface InternalCluster
  extends Omit<Cluster, 'findGroupCoordinator' | 'findBroker' | 'findControllerBroker' | 'fetchTopicsOffset'> {
  readonly brokerPool: {
    createBroker(options: object): InternalBroker;
    readonly connectionPoolBuilder: {
      build(at: { readonly host: string; readonly port: number }): Promise<InternalConnectionPool>;
    };
  };
  committedOffsetsByGroup: Map<string, unknown>;
  findGroupCoordinator(request: { groupId: string; coordinatorType?: number }): Promise<InternalBroker>;
  findControllerBroker(): Promise<InternalBroker>;
  findBroker(node: { nodeId: string | number }): Promise<InternalBroker>;
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { partition: number }[];
      readonly fromBeginning?: boolean;
      readonly fromTimestamp?: number;
    }[],
  ): Promise<readonly { readonly partitions: readonly { partition: number; offset: string }[] }[]>;
}

type CreateCluster = (options: object) => InternalCluster;

/**
 * Makes something of the client and hands over its cluster with it. The client itself is left as it is: a view of it, whose factory of
 * clusters tells what it makes. Asking for a topic never makes it, also where the broker would.
 */
export function withCluster<T>(
  client: Kafka,
  make: (client: Kafka) => T,
): { readonly made: T; readonly cluster: InternalCluster } {
  const symbol = Object.getOwnPropertySymbols(client).find((one) => one.description === 'private:Kafka:createCluster');
  const create = symbol && (client as unknown as Record<symbol, CreateCluster>)[symbol];
  let cluster: InternalCluster | undefined;
  const made =
    symbol &&
    create &&
    make(
      Object.create(client, {
        [symbol]: { value: (o: object) => (cluster = create({ ...o, allowAutoTopicCreation: false })) },
      }) as Kafka,
    );
  if (made === undefined || cluster === undefined)
    throw configurationError('kafka-adapter: cannot use the client', ['client must be a Kafka object of kafkajs 2.2']);
  // The client shares this among all consumers of a group, and a member that joins clears it for the others.
  cluster.committedOffsetsByGroup = new Map();
  tolerateLost(cluster);
  keepLastBroker(cluster);
  keepTrying(cluster);
  failFast(cluster);
  return { made, cluster };
}

const metadataKey = 3;

/**
 * Before it has topics of its own to ask about, kafkajs asks about all, refuses the answer when one partition of one of them has no leader,
 * and then knows of no broker either. Such an answer is taken as it is.
 */
function tolerateLost({ brokerPool }: InternalCluster): void {
  const create = brokerPool.createBroker.bind(brokerPool);
  brokerPool.createBroker = (options) => {
    const broker = create(options);
    const { connectionPool } = broker;
    const send = connectionPool.send.bind(connectionPool);
    connectionPool.send = async (given) => {
      const { request, response } = given;
      if (request.apiKey !== metadataKey || !(await isOfAll(request))) return send(given);
      return send({ request, response: { ...response, parse: async (answer: unknown) => answer } });
    };
    return broker;
  };
}

/** Of topics, their number comes first; none or null: all. Source: https://kafka.apache.org/protocol, "Metadata API". */
async function isOfAll({ encode }: InternalRequest['request']): Promise<boolean> {
  const encoded = (await encode?.()) as { readonly buffer: Buffer } | undefined;
  return encoded !== undefined && encoded.buffer.readInt32BE(0) <= 0;
}

/** Without any broker kafkajs gives up and forgets its membership; with one that is down it tries again. */
function keepLastBroker(cluster: InternalCluster): void {
  const remove = cluster.removeBroker.bind(cluster);
  cluster.removeBroker = (address) => {
    if (cluster.getNodeIds().length > 1) remove(address);
  };
}

/** Tries that are used up count as final in kafkajs, also within longer tries; what they failed of says more. */
const soft =
  <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
  async (...args: A): Promise<R> => {
    try {
      return await work(...args);
    } catch (error) {
      const { name, cause } = error as { readonly name?: string; readonly cause?: unknown };
      throw name === 'KafkaJSNumberOfRetriesExceeded' && cause !== undefined ? cause : error;
    }
  };

function keepTrying(cluster: InternalCluster): void {
  cluster.connect = soft(cluster.connect.bind(cluster));
  cluster.refreshMetadata = soft(cluster.refreshMetadata.bind(cluster));
  cluster.refreshMetadataIfNecessary = soft(cluster.refreshMetadataIfNecessary.bind(cluster));
  cluster.findBroker = soft(cluster.findBroker.bind(cluster));
  cluster.findGroupCoordinator = soft(cluster.findGroupCoordinator.bind(cluster));
}
