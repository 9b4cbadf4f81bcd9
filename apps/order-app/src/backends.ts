import type { CheckpointStore, Logger } from '@bento-bus/core';
import { createRuntime, type Runtime } from '@bento-bus/runtime';
import type { OrderAppConfig } from './config.ts';

/** What any backend may be made of. */
export interface BackendOptions {
  readonly config: OrderAppConfig;
  readonly checkpoints: CheckpointStore;
  readonly logger: Logger;
}

/** The backends that MESSAGE_BUS_TYPE can name. Only the chosen one is loaded. */
const backends = {
  inprocess: async ({ checkpoints, logger }: BackendOptions) => {
    const { createInProcessTransport } = await import('@bento-bus/inprocess-bus');
    return createInProcessTransport({ checkpoints, logger });
  },
};

/** Throws a `CONFIGURATION` error for a backend that is not among them. */
export const chooseBackend = (config: OrderAppConfig): Runtime<BackendOptions> =>
  createRuntime({ backend: config.messageBusType, backends });
