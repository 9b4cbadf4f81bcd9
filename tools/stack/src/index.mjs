// What programs and tests use of the stack; documented in index.d.mts.
import { prepared } from './archive.mjs';
import { startNodes, stopNodes } from './cluster.mjs';
import { clickhouse } from './kinds/clickhouse.mjs';
import { kafka } from './kinds/kafka.mjs';
import { pulsar } from './kinds/pulsar.mjs';
import { registry } from './kinds/registry.mjs';
import { startServer } from './start.mjs';

export { endpointEnvironment, readEndpoints } from './endpoints.mjs';
export { StackError } from './errors.mjs';

const view = (server, extra) => ({
  get name() {
    return server.name;
  },
  get pid() {
    return server.pid;
  },
  get dir() {
    return server.dir;
  },
  get endpoints() {
    return server.endpoints;
  },
  stop: () => server.stop(),
  kill: () => server.kill(),
  restart: () => server.restart(),
  pause: () => server.pause(),
  resume: () => server.resume(),
  ...extra,
});

async function started(kind, options = {}) {
  await prepared(kind, options);
  const server = await startServer(kind, options);
  return view(server, server.endpoints);
}

export const startKafka = (options) => started(kafka, options);

export async function startKafkaCluster(options = {}) {
  const { nodes: count = 3, ...rest } = options;
  await prepared(kafka, rest);
  const nodes = await startNodes(rest, count);
  let stopping;
  return {
    brokers: nodes.map(({ endpoints }) => endpoints.brokers).join(','),
    nodes: nodes.map((node) => view(node, node.endpoints)),
    stop() {
      stopping ??= stopNodes(nodes);
      return stopping;
    },
  };
}

export const startPulsar = ({ adminToken, ...options } = {}) => started(pulsar, { ...options, extra: { adminToken } });

export const startRegistry = (options) => started(registry, options);

export const startClickHouse = (options) => started(clickhouse, options);
