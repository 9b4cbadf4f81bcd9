import type { CheckpointStore, Logger, MessagingAdmin, Transport } from '@bento-bus/core';
import type { InProcessTransport } from '@bento-bus/inprocess-bus';
import {
  createRuntime,
  kafkaSecurity,
  pulsarSecurity,
  pulsarUrls,
  type Runtime,
  tenantOptions,
} from '@bento-bus/runtime';
import type { OrderAppConfig } from './config.ts';

/** What any backend may be made of. */
export interface BackendOptions {
  readonly config: OrderAppConfig;
  readonly checkpoints: CheckpointStore;
  readonly logger: Logger;
}

const brokersOf = (config: OrderAppConfig): readonly string[] => config.kafkaBrokers ?? ['localhost:9092'];

/** The backends that MESSAGE_BUS_TYPE can name. Only the chosen one is loaded. */
const backends = {
  inprocess: async ({ config, checkpoints, logger }: BackendOptions) => {
    const { createInProcessTransport } = await import('@bento-bus/inprocess-bus');
    return createInProcessTransport({ ...tenantOptions(config), checkpoints, logger });
  },
  pulsar: async ({ config, logger }: BackendOptions) => {
    const { createPulsarTransport } = await import('@bento-bus/pulsar-adapter');
    return createPulsarTransport({
      ...pulsarUrls(config),
      ...tenantOptions(config),
      ...pulsarSecurity(config),
      driver: config.pulsarDriver,
      logger,
    });
  },
  kafka: async ({ config, logger }: BackendOptions) => {
    const { createKafkaTransport } = await import('@bento-bus/kafka-adapter');
    const driver =
      config.kafkaDriver === 'kafkajs'
        ? {}
        : { driver: (await import('@bento-bus/kafka-adapter/platformatic')).platformatic() };
    // Of topics that the app makes several processes have a share; commands are short, and who ends one hard begins the next soon.
    return createKafkaTransport({
      ...tenantOptions(config),
      connection: kafkaSecurity(config),
      ...driver,
      brokers: brokersOf(config),
      partitions: 8,
      sessionTimeoutMs: 10_000,
      logger,
    });
  },
};

/** Throws a `CONFIGURATION` error for a backend that is not among them. */
export const chooseBackend = (config: OrderAppConfig): Runtime<BackendOptions> =>
  createRuntime({ backend: config.messageBusType, backends });

/** What speaks to the chosen backend as an operator does. `transport` is the one in use, as {@link chooseBackend} made it. */
export async function adminOf(config: OrderAppConfig, transport: Transport): Promise<MessagingAdmin> {
  switch (config.messageBusType) {
    case 'kafka': {
      const { createKafkaAdmin } = await import('@bento-bus/kafka-adapter');
      return createKafkaAdmin({
        ...tenantOptions(config),
        connection: kafkaSecurity(config),
        brokers: brokersOf(config),
      });
    }
    case 'pulsar': {
      const { createPulsarAdmin } = await import('@bento-bus/pulsar-adapter');
      return createPulsarAdmin({ ...pulsarUrls(config), ...tenantOptions(config), ...pulsarSecurity(config) });
    }
    default: {
      const { createInProcessAdmin } = await import('@bento-bus/inprocess-bus');
      return createInProcessAdmin(transport as InProcessTransport);
    }
  }
}
