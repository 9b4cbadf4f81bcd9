import { describeEventStore } from '@bento-bus/conformance';
import { describe, it } from '@jest/globals';
import { createInMemoryEventStore } from '../src/index.ts';

// A second store on one log does not exist in memory: those scenarios are skipped, visibly.
describeEventStore(
  { describe, it },
  { name: 'createInMemoryEventStore', createStore: async () => createInMemoryEventStore() },
);
