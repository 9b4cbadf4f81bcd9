import type { CheckpointStore, Logger } from '@bento-bus/core';
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
    const brokers = config.kafkaBrokers ?? ['localhost:9092'];
    const driver =
      config.kafkaDriver === 'kafkajs'
        ? {}
        : { driver: (await import('@bento-bus/kafka-adapter/platformatic')).platformatic() };
    // Of topics that the app makes several processes have a share; commands are short, and who ends one hard begins the next soon.
    return createKafkaTransport({
      ...tenantOptions(config),
      connection: kafkaSecurity(config),
      ...driver,
      brokers,
      partitions: 8,
      sessionTimeoutMs: 10_000,
      logger,
    });
  },
};

/** Throws a `CONFIGURATION` error for a backend that is not among them. */
export const chooseBackend = (config: OrderAppConfig): Runtime<BackendOptions> =>
  createRuntime({ backend: config.messageBusType, backends });
