import type { TransportHarness } from '@bento-bus/conformance';
import { capabilities } from '../../src/capabilities.ts';
import { createKafkaTransport, type KafkaTransport, type KafkaTransportOptions } from '../../src/index.ts';
import { sourceArgs } from './child.ts';

/** Options for tests: failures are noticed in seconds. */
const quick: Partial<KafkaTransportOptions> = {
  partitions: 4,
  sessionTimeoutMs: 2_000,
  rebalanceTimeoutMs: 3_000,
  heartbeatIntervalMs: 300,
  requestTimeoutMs: 20_000,
};

/** The driver of all transports of a run, its child processes included. */
const driver: Partial<KafkaTransportOptions> =
  process.env['KAFKA_DRIVER'] === 'platformatic'
    ? { driver: (await import('../../src/platformatic/index.ts')).platformatic() }
    : {};

/** A transport under test. */
export const connect = (brokers: string, options: Partial<KafkaTransportOptions> = {}): KafkaTransport =>
  createKafkaTransport({ ...quick, ...driver, brokers, ...options });

/** How often scenarios kill: few by default, many in `npm run test:long`. */
const kills = Number(process.env['KILLS'] ?? 3);

/** What the conformance kit needs to know. `server` is read when a scenario runs, so that a test file can start it in `beforeAll`. */
export const harness = (
  name: string,
  server: () => { readonly brokers: string; readonly restart: () => Promise<unknown> },
): TransportHarness => ({
  name,
  capabilities,
  checkpointed: true,
  createTransport: async () => connect(server().brokers),
  refusedMessage: (message) => ({ ...message, body: new Uint8Array(1_100_000) }),
  restart: async () => {
    await server().restart();
  },
  processes: {
    module: new URL('process-client.ts', import.meta.url).href,
    execArgv: sourceArgs,
    // Read when a process is started.
    get env() {
      return { KAFKA_BROKERS: server().brokers };
    },
  },
  kills,
  sessionMs: quick.sessionTimeoutMs as number,
  // A commit is under way when the next one is due.
  duplicatesMs: 250,
  attemptsMs: 500,
  restartDuplicatesMs: 250,
  deadlineMs: 60_000 + 5_000 * kills,
  longestDelayMs: 3_300,
  createTenant: async (tenant) => connect(server().brokers, { tenant }),
  quietMs: 1_000,
});
