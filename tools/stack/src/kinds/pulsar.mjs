// Apache Pulsar standalone: broker, bookie, metadata and the WebSocket service in one process.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { archiveFlags } from '../archive.mjs';
import { httpGet } from '../http-get.mjs';
import { java, jvm, properties } from '../java.mjs';

const logging = fileURLToPath(new URL('../../maven/pulsar-log4j2.xml', import.meta.url));
const loopback = '127.0.0.1';

const settingsOf = ({ broker, web }) => ({
  bindAddress: loopback,
  advertisedAddress: loopback,
  brokerServicePort: broker,
  webServicePort: web,
  clusterName: 'standalone',
  // Empty: the starter sets them to RocksDB in the folder.
  metadataStoreUrl: '',
  configurationMetadataStoreUrl: '',
  managedLedgerDefaultEnsembleSize: 1,
  managedLedgerDefaultWriteQuorum: 1,
  managedLedgerDefaultAckQuorum: 1,
  // The bookie reads the same file, and would listen on every interface.
  allowLoopback: true,
  // Without it the port of the bookie is any.
  allowEphemeralPorts: true,
  listeningInterface: process.platform === 'darwin' ? 'lo0' : 'lo',
  journalSyncData: true,
  diskUsageThreshold: 0.99,
  diskUsageWarnThreshold: 0.98,
  webSocketServiceEnabled: true,
  webSocketNumServiceThreads: 4,
  webSocketConnectionsPerBroker: 4,
  delayedDeliveryEnabled: true,
  delayedDeliveryTickTimeMillis: 100,
  // As in Pulsar's own default. With it one new topic in a hundred stays unreadable until it is unloaded (4.2: its transaction buffer
  // begins its recovery and never ends it).
  transactionCoordinatorEnabled: false,
  systemTopicEnabled: true,
  topicLevelPoliciesEnabled: true,
  // Per namespace or topic, by policy.
  brokerDeduplicationEnabled: false,
  allowAutoTopicCreation: true,
  allowAutoTopicCreationType: 'non-partitioned',
  brokerDeleteInactiveTopicsEnabled: false,
  isSchemaValidationEnforced: false,
  acknowledgmentAtBatchIndexLevelEnabled: true,
  numIOThreads: 2,
  numHttpServerThreads: 8,
  managedLedgerCacheSizeMB: 64,
  loadBalancerEnabled: false,
});

const opens = [
  'java.base/java.io',
  'java.base/java.util.zip',
  'java.base/java.nio',
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.platform',
  'java.base/sun.net',
  'java.management/sun.management',
].flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]);

/** @type {import('../kind.mjs').Kind} */
export const pulsar = {
  name: 'pulsar',
  java: true,
  archive: true,
  artifact: { name: 'pulsar', version: '4.2.4', goal: 'copy', about: '288 jars, 182 MB' },
  ports: { broker: 'STACK_PULSAR_PORT', web: 'STACK_PULSAR_WEB_PORT', bookie: 'STACK_PULSAR_BOOKIE_PORT' },
  heapMb: 512,
  readyTimeoutMs: 90_000,
  stopMs: 30_000,
  endpoints: ({ broker, web }) => ({
    serviceUrl: `pulsar://${loopback}:${broker}`,
    webUrl: `http://${loopback}:${web}`,
  }),

  async prepare(context) {
    const { name, dir, home, heapMb, ports, config } = context;
    const file = join(dir, 'standalone.conf');
    // It may hold a token.
    writeFileSync(file, properties(settingsOf(ports), config), { mode: 0o600 });
    const flags = [
      ...jvm(heapMb),
      `-XX:MaxDirectMemorySize=${heapMb}m`,
      '-XX:+UseG1GC',
      ...archiveFlags(pulsar, context),
      ...opens,
      '-Dio.netty.tryReflectionSetAccessible=true',
      '-Dbookkeeper.metadata.bookie.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataBookieDriver',
      '-Dbookkeeper.metadata.client.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataClientDriver',
      '-Dlog4j.shutdownHookEnabled=false',
      '-Dlog4j2.is.webapp=false',
      `-Dlog4j2.configurationFile=${logging}`,
    ];
    const server = ['--config', file, '--advertised-address', loopback, '--no-functions-worker', '--no-stream-storage'];
    const folders = ['--metadata-dir', join(dir, 'metadata'), '--bookkeeper-dir', join(dir, 'bookkeeper')];
    const starter = ['-cp', `${home}/*`, 'org.apache.pulsar.PulsarStandaloneStarter'];
    const args = [...flags, ...starter, ...server, ...folders, '--bookkeeper-port', String(ports.bookie)];
    return { command: java(name), args };
  },

  // The namespace is made after the line "messaging service is ready"; the health check sends and receives a message.
  async isReady({ ports: { web }, extra: { adminToken } }) {
    const admin = `http://${loopback}:${web}/admin/v2`;
    const headers = adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` };
    const namespaces = await httpGet(`${admin}/namespaces/public`, { headers, timeoutMs: 2_000 });
    if (!namespaces.body.includes('public/default')) return false;
    return (await httpGet(`${admin}/brokers/health`, { headers, timeoutMs: 10_000 })).status === 200;
  },
};
