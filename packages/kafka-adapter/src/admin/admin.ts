import { BentoError, type Diagnosing, type Finding, type MessagingAdmin } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { clientOf } from '../kafkajs/driver.ts';
import { type KafkaTransportOptions, resolveOptions } from '../options.ts';
import { prefixOf } from '../tenant.ts';
import { AdminConnection } from './connection.ts';
import type { AdminContext } from './context.ts';
import { diagnose } from './diagnose.ts';
import { createGroupAdmin } from './groups.ts';
import { createTopicAdmin } from './topics.ts';

/** Options of `createKafkaAdmin`: those of the transport of the same topics that say where they are and what is in them. */
export type KafkaAdminOptions = Pick<
  KafkaTransportOptions,
  | 'name'
  | 'brokers'
  | 'client'
  | 'clientId'
  | 'connection'
  | 'tenant'
  | 'namespace'
  | 'partitions'
  | 'replicationFactor'
  | 'requestTimeoutMs'
  | 'format'
  | 'logger'
>;

/**
 * Topics and consumer groups of Apache Kafka, by the requests of its protocol. Connects when it is used first, whatever driver the
 * transport has. Needs of the user, where the cluster has ACLs: Describe and DescribeConfigs on topics, Describe on groups to look; Create,
 * Alter, AlterConfigs and Delete to change topics; Read on topic and group to move a group, Delete on the group to delete its progress;
 * DescribeConfigs on the cluster for `diagnose` to see the brokers' settings. That gives up on a cluster that does not answer after 5 s.
 */
export function createKafkaAdmin(options: KafkaAdminOptions): MessagingAdmin & Diagnosing {
  const resolved = resolveOptions(options, 'the admin');
  const connection = new AdminConnection(clientOf(resolved), resolved.requestTimeoutMs);
  const pending = new Set<Promise<unknown>>();
  let isClosed = false;
  const call = <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (isClosed) return Promise.reject(closedError(what));
    const running = connection.run(what, work);
    pending.add(running);
    const settled = (): boolean => pending.delete(running);
    running.then(settled, settled);
    return running;
  };
  const { partitions, replicationFactor, format, name } = resolved;
  const context: AdminContext = { connection, prefix: prefixOf(resolved), partitions, replicationFactor, format, call };
  return {
    name,
    ...createTopicAdmin(context),
    ...createGroupAdmin(context),
    async diagnose() {
      if (isClosed) return [closedFinding];
      const looking = diagnose(connection, resolved.client === undefined ? resolved.connection : undefined);
      pending.add(looking);
      return looking.finally(() => pending.delete(looking));
    },
    ...closeOnce(async () => {
      isClosed = true;
      await Promise.allSettled(pending);
      await connection.close();
    }),
  };
}

const closedFinding: Finding = {
  check: 'kafka: reachable',
  level: 'fault',
  found: 'the admin is closed',
  advice: 'Make a new one.',
};

const closedError = (what: string): BentoError =>
  new BentoError('CLOSED', `kafka-adapter: cannot ${what}: the admin is closed. Make a new one.`);
