import type { AdminHarness } from '@bento-bus/conformance';
import { createInProcessAdmin, type InProcessTransport } from '../src/index.ts';
import { inProcess } from './kit.ts';

/** The administration of this package: topics in memory have one partition and no settings. */
export const inProcessAdmin: AdminHarness = {
  ...inProcess,
  name: 'in-process administration',
  createAdmin: async (transport) => createInProcessAdmin(transport as InProcessTransport),
  partitions: 1,
  refusedNames: [' ', '\uD800'],
  membersAtWork: 'refused',
};
