// What programs and tests use of the stack; documented in index.d.mts.
import { prepared } from './archive.mjs';
import { startNodes, stopNodes } from './cluster.mjs';
import { clickhouse } from './kinds/clickhouse.mjs';
import { kafka } from './kinds/kafka.mjs';
import { kafkaSecure } from './kinds/kafka-secure.mjs';
import { pulsar } from './kinds/pulsar.mjs';
import { pulsarSecure } from './kinds/pulsar-secure.mjs';
import { registry } from './kinds/registry.mjs';
import { certificateFiles } from './secure/certificates.mjs';
import { readCredentials, roles, securityFolder } from './secure/credentials.mjs';
import { startTokenIssuer } from './secure/issuer.mjs';
import { foreignToken, tokenBy } from './secure/tokens.mjs';
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
  get running() {
    return server.running;
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

/** What of a server's credentials is the same for both brokers. */
function securityOf(server) {
  const {
    tokenPrivateKey: _,
    tokenPublicKey: __,
    serverCert: ___,
    serverKey: ____,
    serverStore: _____,
    ...files
  } = certificateFiles(securityFolder(server.dir));
  const { admin, powerless } = readCredentials(server.dir);
  return { ...files, admin, powerless };
}

export async function startSecureKafka(options) {
  const server = await started(kafkaSecure, options);
  return Object.defineProperty(server, 'security', { value: securityOf(server), enumerable: false });
}

export async function startSecurePulsar(options) {
  const server = await started(pulsarSecure, options);
  const { tokenPrivateKey } = certificateFiles(securityFolder(server.dir));
  const token = ({ role = roles.admin, expiresInSeconds } = {}) => tokenBy(tokenPrivateKey, { role, expiresInSeconds });
  const { clientSecret } = readCredentials(server.dir);
  let expiresInSeconds = 3_600;
  const issuer = await startTokenIssuer({
    keyFile: tokenPrivateKey,
    role: roles.admin,
    clientId: roles.admin,
    clientSecret,
    expiresInSeconds: () => expiresInSeconds,
  });
  const security = {
    ...securityOf(server),
    token,
    foreignToken: foreignToken({ role: roles.admin }),
    oauth2: issuer,
    get oauth2ExpiresInSeconds() {
      return expiresInSeconds;
    },
    set oauth2ExpiresInSeconds(seconds) {
      expiresInSeconds = seconds;
    },
  };
  const { stop } = server;
  server.stop = async () => {
    await issuer.stop();
    await stop();
  };
  return Object.defineProperty(server, 'security', { value: security, enumerable: false });
}
