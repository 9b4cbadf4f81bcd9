// The kit under node's own test runner; started by node-test.test.ts.
import { describe, it } from 'node:test';
import { describeTransport } from '@bento-bus/conformance';
import { capabilities } from '../src/transport/capabilities.ts';
import { createInProcessTransport } from '../src/transport/transport.ts';

describeTransport(
  { describe, it },
  {
    name: 'in-process transport under node:test',
    capabilities,
    checkpointed: true,
    clients: 'one',
    quietMs: 30,
    volume: 500,
    createTransport: async () => createInProcessTransport(),
    refusedMessage: (message) => ({ ...message, id: '' }),
  },
);
