import type { TransportHarness, TransportProcesses } from '@bento-bus/conformance';
import { createInProcessTransport, createMemoryCheckpointStore } from '../src/index.ts';
import { capabilities } from '../src/transport/capabilities.ts';
import { connectServed, servedCapabilities } from './served/client.ts';
import type { Served } from './served/server.ts';

/** Processes of the kit that load a module of this folder, from sources. */
const processesOf = (module: string, env: Readonly<Record<string, string>>): TransportProcesses => ({
  module: new URL(module, import.meta.url).href,
  execArgv: [
    '--conditions=@bento-bus/source',
    `--import=${new URL('../../../tools/source-loader.mjs', import.meta.url).href}`,
  ],
  env,
});

/** Few by default, many in `npm run test:long`. */
const kills = Number(process.env['KILLS'] ?? 2);

/** Of all tenants. */
const sharedCheckpoints = createMemoryCheckpointStore();

/** The transport of this package. */
export const inProcess: TransportHarness = {
  name: 'in-process transport',
  capabilities,
  checkpointed: true,
  clients: 'one',
  quietMs: 30,
  createTransport: async () => createInProcessTransport(),
  createTenant: async (tenant) => createInProcessTransport({ tenant, checkpoints: sharedCheckpoints }),
  refusedMessage: (message) => ({ ...message, id: '' }),
};

/** With processes that keep their progress in a folder; broken ones, if a break is named. */
export const inProcessWith = (folder: string, breaks = ''): TransportHarness => ({
  ...inProcess,
  processes: processesOf('./kit-process-child.ts', { CHECKPOINTS: folder, BREAK: breaks }),
  kills,
  // Progress that nobody waits for is written after a second.
  attemptsMs: 1_500,
});

/** Clients of a transport that is served to other processes; broken ones there, if a break is named. */
export const servedBy = (served: Served, breaks = ''): TransportHarness => ({
  name: 'in-process transport, served to other processes',
  capabilities: servedCapabilities,
  checkpointed: true,
  quietMs: 30,
  restartDuplicatesMs: 1_000,
  kills,
  createTransport: () => connectServed(served.port),
  restart: () => served.restart(),
  processes: processesOf('./kit-served-child.ts', { SERVED_PORT: `${served.port}`, BREAK: breaks }),
});
