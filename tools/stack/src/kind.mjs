import { clickhouse } from './kinds/clickhouse.mjs';
import { kafka } from './kinds/kafka.mjs';
import { kafkaSecure } from './kinds/kafka-secure.mjs';
import { pulsar } from './kinds/pulsar.mjs';
import { pulsarSecure } from './kinds/pulsar-secure.mjs';
import { registry } from './kinds/registry.mjs';

/**
 * What a server is: how it is fetched, configured, run, and known to be ready.
 * @typedef {object} Kind
 * @property {string} name
 * @property {boolean} java whether it needs a Java runtime
 * @property {Kind} [base] the kind whose artifact and class-data archive it shares
 * @property {boolean} [archive] whether a class-data archive is worth its making
 * @property {{ name: string, version: string, goal: 'copy' | 'unpack', about: string }} [artifact]
 * @property {Readonly<Record<string, string>>} ports its ports, each with the variable that fixes it
 * @property {number} heapMb
 * @property {number} readyTimeoutMs
 * @property {number} stopMs after SIGTERM, until SIGKILL
 * @property {(ports: Record<string, number>, dir: string) => Record<string, string>} endpoints
 * @property {(context: object) => unknown} prepare writes its files; gives command, args and environment
 * @property {(context: object) => unknown} isReady
 */

/** @type {Readonly<Record<string, Kind>>} */
export const kinds = {
  pulsar,
  kafka,
  registry,
  clickhouse,
  'pulsar-secure': pulsarSecure,
  'kafka-secure': kafkaSecure,
};

/** Those that `up` starts where nothing is named, and the secure ones in their place. */
export const usual = ['pulsar', 'kafka', 'registry', 'clickhouse'];
