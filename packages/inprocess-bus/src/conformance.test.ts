import { describeTransport, type TransportHarness } from '@bento-bus/conformance';
import { describe, it } from '@jest/globals';
import { capabilities } from './transport/capabilities.ts';
import { createMemoryCheckpointStore } from './transport/memory-checkpoint-store.ts';
import { createInProcessTransport } from './transport/transport.ts';

const harness: TransportHarness = {
  name: 'in-process transport',
  capabilities,
  checkpointed: true,
  clients: 'one',
  quietMs: 30,
  createTransport: async () => createInProcessTransport(),
  refusedMessage: (message) => ({ ...message, id: '' }),
};

describeTransport({ describe, it }, harness);

describeTransport(
  { describe, it },
  {
    ...harness,
    name: 'in-process transport with a CheckpointStore, a short retention and a slow first read',
    volume: 2_000,
    createTransport: async () => {
      const store = createMemoryCheckpointStore();
      const slow = new Promise<void>((resolve) => setImmediate(resolve));
      return createInProcessTransport({
        retention: 100,
        checkpoints: { ...store, read: (name) => slow.then(() => store.read(name)) },
      });
    },
  },
);
