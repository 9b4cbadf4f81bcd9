import type { MessagingAdmin, Transport } from '@bento-bus/core';
import type { PulsarAdmin } from '@bento-bus/pulsar-adapter';
import { kafkaSecurity, pulsarSecurity, pulsarUrls, tenantOptions } from '@bento-bus/runtime';
import type { BentoConfig } from './config.ts';

/** A backend that can be spoken to from outside of the application. Parts are the caller's to close. */
export interface Broker {
  readonly admin: MessagingAdmin;
  /** The same, where it is Pulsar's. */
  readonly pulsar?: PulsarAdmin;
  openTransport(): Promise<Transport>;
}

/** What each backend is made of; only the chosen one is loaded. `timeoutMs`: of one request to it. */
export const brokers: Readonly<
  Record<'kafka' | 'pulsar' | 'inprocess', (config: BentoConfig, timeoutMs: number) => Promise<Broker>>
> = {
  kafka: async (config, timeoutMs) => {
    const { createKafkaAdmin, createKafkaTransport } = await import('@bento-bus/kafka-adapter');
    const options = {
      ...tenantOptions(config),
      connection: kafkaSecurity(config),
      brokers: config.kafkaBrokers ?? ['localhost:9092'],
      clientId: 'bento',
      requestTimeoutMs: timeoutMs,
    };
    return {
      admin: createKafkaAdmin(options),
      openTransport: async () => createKafkaTransport({ ...options, sessionTimeoutMs: 10_000 }),
    };
  },
  pulsar: async (config, timeoutMs) => {
    const { createPulsarAdmin, createPulsarTransport } = await import('@bento-bus/pulsar-adapter');
    const options = {
      ...pulsarUrls(config),
      ...tenantOptions(config),
      ...pulsarSecurity(config),
      requestTimeoutMs: timeoutMs,
    };
    const pulsar = createPulsarAdmin(options);
    return {
      admin: pulsar,
      pulsar,
      openTransport: async () => createPulsarTransport({ ...options, driver: config.pulsarDriver }),
    };
  },
  /** An empty one: where only the store is asked for. */
  inprocess: async () => {
    const { createInProcessAdmin, createInProcessTransport } = await import('@bento-bus/inprocess-bus');
    const transport = createInProcessTransport();
    return { admin: createInProcessAdmin(transport), openTransport: async () => transport };
  },
};
