// Apache Kafka in KRaft mode: one process is broker and controller.
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { archiveFlags } from '../archive.mjs';
import { failure } from '../errors.mjs';
import { java, jvm, properties } from '../java.mjs';

/** Any will do, and every node of a cluster needs the same. */
const clusterId = '4L6g3nShT-eMCtK--X86sw';

/** `nodes`: `[{ id, controller }]` of all nodes, this one included. */
function settingsOf({ dir, ports, extra: { id = 1, nodes = [{ id, controller: ports.controller }] } }) {
  const copies = Math.min(3, nodes.length);
  const least = copies > 2 ? 2 : 1;
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': nodes.map((node) => `${node.id}@127.0.0.1:${node.controller}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.broker}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': false,
    'num.partitions': 1,
    'default.replication.factor': copies,
    'min.insync.replicas': least,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': least,
    'transaction.state.log.num.partitions': 3,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': least,
    'share.coordinator.state.topic.num.partitions': 1,
    // Failures are noticed in seconds, so that tests of them need not wait longer.
    'group.min.session.timeout.ms': 1_000,
    'group.initial.rebalance.delay.ms': 0,
    // A node killed and started again is refused until its old session has run out.
    'broker.session.timeout.ms': nodes.length > 1 ? 3_000 : 1_500,
    'broker.heartbeat.interval.ms': nodes.length > 1 ? 500 : 300,
    'replica.lag.time.max.ms': 5_000,
    // Less memory and fewer threads: the cleaner's buffer alone is 128 MiB by default.
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'num.recovery.threads.per.data.dir': 1,
    'log.segment.bytes': 67_108_864,
    'metadata.log.segment.bytes': 8_388_608,
  };
}

const logging = (level) => [
  `-Dorg.slf4j.simpleLogger.defaultLogLevel=${level}`,
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];

async function format({ name, dir, home, heapMb, signal, extra: { formatArgs = [] } }, file) {
  if (existsSync(join(dir, 'data/meta.properties'))) return;
  const tool = ['-XX:TieredStopAtLevel=1', '-cp', `${home}/*`, 'kafka.tools.StorageTool'];
  const args = [
    ...jvm(heapMb),
    '-XX:+UseSerialGC',
    ...logging('error'),
    ...tool,
    'format',
    '-t',
    clusterId,
    '-c',
    file,
    ...formatArgs,
  ];
  try {
    await promisify(execFile)(java(name), args, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    const cause = `its folder could not be formatted: ${(error.stderr || error.message).trim().split('\n')[0]}`;
    throw failure(`start "${name}"`, cause, `Look at ${file}.`, { cause: error });
  }
}

/** @type {import('../kind.mjs').Kind} */
export const kafka = {
  name: 'kafka',
  java: true,
  archive: true,
  artifact: { name: 'kafka', version: '4.4.0', goal: 'copy', about: '44 jars, 43 MB' },
  ports: { broker: 'STACK_KAFKA_PORT', controller: 'STACK_KAFKA_CONTROLLER_PORT' },
  heapMb: 256,
  readyTimeoutMs: 60_000,
  stopMs: 10_000,
  endpoints: ({ broker }) => ({ brokers: `127.0.0.1:${broker}` }),

  async prepare(context) {
    const { dir, home, heapMb, config, name } = context;
    const file = join(dir, 'server.properties');
    // It may hold passwords.
    writeFileSync(file, properties(settingsOf(context), config), { mode: 0o600 });
    await format(context, file);
    const flags = [...jvm(heapMb), '-XX:+UseSerialGC', ...archiveFlags(kafka, context), ...logging('warn')];
    return { command: java(name), args: [...flags, '-cp', `${home}/*`, 'kafka.Kafka', file] };
  },

  // Written when the node is registered and serves.
  isReady: ({ log }) => log.saw('Kafka Server started'),
};
