// Every real server: started, used, killed under load, started again with its data, paused, stopped. Part of `npm run test:brokers`.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { startClickHouse, startKafka, startKafkaCluster, startPulsar, startRegistry } from '../src/index.mjs';
import { poll } from '../src/poll.mjs';

// The clients of the adapters, from where they are declared.
const of = (folder) => createRequire(new URL(`../../../packages/${folder}/package.json`, import.meta.url));
const { Kafka, logLevel } = of('kafka-adapter')('kafkajs');
const WebSocket = of('pulsar-adapter')('ws');

const onProgress = (line) => console.log(line);
/** The longest that a client may need to find its server again. */
const timeout = 240_000;

/** Addresses other than loopback on which a process listens; Linux tells. */
function exposed(pid) {
  if (!existsSync(`/proc/${pid}/fd`)) return [];
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && own.has(`socket:[${fields[9]}]`))
    .map(([, local]) => local)
    .filter((local) => !/^(?:0100007F|0{16}FFFF00000100007F|0{24}01000000):/.test(local));
}

function linkOf(file) {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

/** Clients of Kafka that wait for a server that is gone for some seconds. */
async function connect(brokers) {
  const kafka = new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 30, maxRetryTime: 1_000 },
  });
  const clients = { admin: kafka.admin(), producer: kafka.producer({ maxInFlightRequests: 1, idempotent: true }) };
  await Promise.all(Object.values(clients).map((client) => client.connect()));
  return { ...clients, disconnect: () => Promise.all(Object.values(clients).map((client) => client.disconnect())) };
}

/** Sends one after another while `work` runs, and once more after it; gives how many were acknowledged. */
async function load(send, work) {
  const done = new AbortController();
  let acknowledged = 0;
  const sending = (async () => {
    do {
      await send(acknowledged);
      acknowledged += 1;
    } while (!done.signal.aborted);
  })();
  try {
    await poll(() => acknowledged >= 20, { deadlineMs: 30_000 });
    await work();
  } finally {
    done.abort();
  }
  await sending;
  return acknowledged;
}

async function crash(server) {
  const { pid } = server;
  await server.kill();
  await server.restart();
  assert.notEqual(server.pid, pid);
}

async function ended(server) {
  await server.stop();
  await server.stop();
  assert.ok(!existsSync(server.dir));
  assert.ok(!existsSync(`/proc/${server.pid}/fd/0`));
}

const stored = async (admin) => {
  const offsets = await admin.fetchTopicOffsets('load');
  return Number(offsets[0].high);
};

describe('real servers', { timeout: 600_000 }, () => {
  it('Kafka keeps what it acknowledged through a kill under load, and answers after a pause', { timeout }, async () => {
    const server = await startKafka({ onProgress });
    assert.deepEqual(exposed(server.pid), []);
    const { admin, producer, disconnect } = await connect(server.brokers);
    await admin.createTopics({ topics: [{ topic: 'load', numPartitions: 1 }] });
    const send = (value) => producer.send({ topic: 'load', messages: [{ value: String(value), partition: 0 }] });
    const acknowledged = await load(send, () => crash(server));
    assert.ok((await stored(admin)) >= acknowledged);
    server.pause();
    const waiting = send('paused');
    server.resume();
    await waiting;
    await disconnect();
    await ended(server);
  });

  it('a cluster of three goes on without one node, and takes it back', { timeout }, async () => {
    const cluster = await startKafkaCluster({ onProgress });
    for (const { pid } of cluster.nodes) assert.deepEqual(exposed(pid), []);
    const { admin, producer, disconnect } = await connect(cluster.brokers);
    // kafkajs may ask a node that has not heard of the topic yet.
    await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic: 'load', numPartitions: 1, replicationFactor: 3 }],
    });
    const partition = await poll(() => leaderOf(admin), { deadlineMs: 30_000 });
    const leader = cluster.nodes.find(({ endpoints }) => endpoints.brokers.endsWith(`:${partition}`));
    const send = (value) => producer.send({ topic: 'load', messages: [{ value: String(value), partition: 0 }] });
    const acknowledged = await load(send, async () => {
      await leader.kill();
      await send('without it');
      await leader.restart();
    });
    assert.ok((await stored(admin)) >= acknowledged);
    await disconnect();
    await cluster.stop();
    for (const { dir } of cluster.nodes) assert.ok(!existsSync(dir));
  });

  it('Pulsar keeps what it acknowledged through a kill, with the settings it was given', { timeout }, async () => {
    const server = await startPulsar({ onProgress, config: { webSocketSessionIdleTimeoutMillis: '4321' } });
    assert.deepEqual(exposed(server.pid), []);
    const configuration = await (await fetch(`${server.webUrl}/admin/v2/brokers/configuration/runtime`)).json();
    assert.equal(configuration.webSocketSessionIdleTimeoutMillis, '4321');
    assert.equal(configuration.acknowledgmentAtBatchIndexLevelEnabled, 'true');
    const topic = `${server.webUrl}/admin/v2/persistent/public/default/load`;
    assert.equal((await fetch(topic, { method: 'PUT' })).status, 204);
    assert.equal((await fetch(`${topic}/subscription/s`, { method: 'PUT' })).status, 204);
    const acknowledged = await publishUntilClosed(server, () => server.kill());
    await server.restart();
    const stats = await poll(
      async () => {
        const response = await fetch(`${topic}/stats?getPreciseBacklog=true`);
        return response.ok && response.json();
      },
      { deadlineMs: 30_000 },
    );
    assert.ok(acknowledged >= 100 && stats.subscriptions.s.msgBacklog >= acknowledged, JSON.stringify(stats));
    await ended(server);
  });

  it('the schema registry keeps what was registered through a kill', { timeout }, async () => {
    const server = await startRegistry({ onProgress });
    assert.deepEqual(exposed(server.pid), []);
    const schema = JSON.stringify({ type: 'record', name: 'A', fields: [{ name: 'x', type: 'int' }] });
    const register = async () => {
      const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
      const response = await fetch(`${server.url}/subjects/a-value/versions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ schema }),
      });
      return (await response.json()).id;
    };
    const id = await register();
    await crash(server);
    assert.equal(await register(), id);
    assert.deepEqual(await (await fetch(`${server.url}/subjects`)).json(), ['a-value']);
    await ended(server);
  });

  it('the facade over chdb serves again after a kill', { timeout }, async () => {
    const server = await startClickHouse({ onProgress });
    assert.deepEqual(exposed(server.pid), []);
    await crash(server);
    assert.equal(await (await fetch(server.url, { method: 'POST', body: 'SELECT 1' })).text(), '1\n');
    await ended(server);
  });
});

/** The port of the node that leads the partition, once there is one. */
async function leaderOf(admin) {
  const { brokers } = await admin.describeCluster();
  const { topics } = await admin.fetchTopicMetadata({ topics: ['load'] }).catch(() => ({ topics: [] }));
  return brokers.find(({ nodeId }) => nodeId === topics[0]?.partitions[0]?.leader)?.port;
}

/** Publishes without pause and lets `end` close the connection after 100 acknowledgements; gives how many there were. */
async function publishUntilClosed({ webUrl }, end) {
  const socket = new WebSocket(`${webUrl.replace('http', 'ws')}/ws/v2/producer/persistent/public/default/load`);
  let acknowledged = 0;
  const endings = [];
  const publish = () => socket.send(JSON.stringify({ payload: Buffer.from('x').toString('base64') }));
  socket.on('open', () => Array.from({ length: 10 }, publish));
  socket.on('message', (data) => {
    if (JSON.parse(data).result !== 'ok') return;
    acknowledged += 1;
    if (acknowledged === 100) endings.push(end());
    publish();
  });
  await new Promise((resolve, reject) => {
    socket.on('close', resolve).on('error', (error) => (endings.length === 0 ? reject(error) : resolve()));
  });
  await Promise.all(endings);
  return acknowledged;
}
