import { startKafka } from '@bento-bus/stack';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaTransport, KafkaTransportOptions } from '../../src/index.ts';
import { connect } from './harness.ts';

/** One broker for the tests of a file. */
export interface TestBroker {
  readonly brokers: string;
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  /** A transport that is closed after the test. */
  readonly open: (options?: Partial<KafkaTransportOptions>) => KafkaTransport;
  /** kafkajs, as somebody else would use it. */
  readonly client: () => Kafka;
}

/** Starts it before the tests of this file, and stops it after them. */
export function useBroker(): TestBroker {
  let server: Awaited<ReturnType<typeof startKafka>>;
  const transports: KafkaTransport[] = [];
  beforeAll(async () => {
    server = await startKafka();
  }, 60_000);
  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close()));
  });
  afterAll(async () => {
    await server.stop();
  }, 30_000);
  return {
    get brokers() {
      return server.brokers;
    },
    kill: () => server.kill(),
    restart: () => server.restart(),
    open(options = {}) {
      const transport = connect(server.brokers, options);
      transports.push(transport);
      return transport;
    },
    client: () => new Kafka({ brokers: [server.brokers], logLevel: logLevel.NOTHING }),
  };
}
