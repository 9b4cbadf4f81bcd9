import type { TransportHarness } from '@bento-bus/conformance';
import type { PulsarTransport, PulsarTransportOptions } from '@bento-bus/pulsar-adapter';
import { capabilitiesOf } from '../../src/capabilities.ts';
import { createTenant, createTopic } from './topics.ts';

/** Where a broker is. */
export interface Endpoints {
  readonly serviceUrl: string;
  readonly webUrl: string;
}

/** What the kit needs to know; topics have partitions. */
export function harnessOf(
  endpoints: Endpoints,
  driver: 'websocket' | 'native',
  create: (options: PulsarTransportOptions) => PulsarTransport,
  restart?: () => Promise<void>,
): TransportHarness {
  const at = (): PulsarTransportOptions => ({ serviceUrl: endpoints.serviceUrl, webUrl: endpoints.webUrl, driver });
  return {
    name: `Pulsar (${driver})`,
    capabilities: capabilitiesOf.Key_Shared,
    checkpointed: true,
    createTransport: async () => create(at()),
    createTopic: (topic) => createTopic(endpoints.webUrl, topic, 4),
    refusedMessage: (message) => ({ ...message, body: Buffer.alloc(1_100_000) }),
    ...(restart && { restart }),
    processes: {
      module: new URL('../kit-child.ts', import.meta.url).href,
      execArgv: [
        '--conditions=@bento-bus/source',
        '--import',
        new URL('../../../../tools/source-loader.mjs', import.meta.url).href,
      ],
      env: {
        get KIT_OPTIONS() {
          return JSON.stringify(at());
        },
      },
    },
    kills: Number(process.env['KILLS'] ?? 3),
    // Acknowledgements are sent at once, but the broker's clients gather them for 100 ms.
    duplicatesMs: 1_000,
    // A broker takes up to 30 s to start on a busy machine.
    deadlineMs: 60_000,
    longestDelayMs: 2_500,
    createTenant: async (tenant) => {
      await createTenant(endpoints.webUrl, tenant);
      return create({ ...at(), tenant });
    },
    quietMs: 300,
  };
}
