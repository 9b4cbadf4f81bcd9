// The file in which `npm run stack -- up` writes what it started, for programs that want to use it.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from './files.mjs';
import { isAlive } from './identity.mjs';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

export const stackFolder = (root = repository) => join(resolve(root), '.bento/stack');
export const endpointsFile = (folder) => join(folder, 'endpoints.json');

/** Of every server that still runs as one of the processes that were written down, its endpoints. */
export function readEndpoints(root) {
  const servers = readJson(endpointsFile(stackFolder(root))) ?? {};
  const running = Object.entries(servers).filter(([, { processes = [] }]) => processes.some(isAlive));
  return Object.fromEntries(running.map(([name, { endpoints }]) => [name, endpoints]));
}

/** The variables by which the packages and the app are told where servers are. */
export function endpointEnvironment({ pulsar, kafka, kafka3, registry, clickhouse } = {}) {
  const variables = {
    PULSAR_SERVICE_URL: pulsar?.serviceUrl,
    PULSAR_WEB_URL: pulsar?.webUrl,
    KAFKA_BROKERS: kafka?.brokers ?? kafka3?.brokers,
    CLICKHOUSE_HOST: clickhouse?.host,
    CLICKHOUSE_PORT: clickhouse?.port,
    SCHEMA_REGISTRY_URL: registry?.url,
  };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
}
