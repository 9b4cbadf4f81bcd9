import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeTransport } from '@bento-bus/conformance';
import { afterAll, describe, it } from '@jest/globals';
import { inProcess, inProcessWith } from '../test/kit.ts';
import { createMemoryCheckpointStore } from './transport/memory-checkpoint-store.ts';
import { createInProcessTransport } from './transport/transport.ts';

const folder = mkdtempSync(join(tmpdir(), 'bento-inprocess-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeTransport({ describe, it }, inProcessWith(folder));

describeTransport(
  { describe, it },
  {
    ...inProcess,
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
