import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openClickHouse } from '@bento-bus/clickhouse-store';
import { createPulsarRegistry } from '@bento-bus/codecs';
import type { Transport } from '@bento-bus/core';
import { createKafkaTransport } from '@bento-bus/kafka-adapter';
import { createPulsarTransport } from '@bento-bus/pulsar-adapter';
import { startKafka, startPulsar } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Backend, commandScenarios, traceScenario } from './scenarios.ts';
import { bento, json, type Outcome } from './support.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const loader = fileURLToPath(new URL('../../../tools/source-loader.mjs', import.meta.url));

let folder: string;
let dataDir: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bento-cli-'));
  dataDir = join(folder, 'data');
  // The embedded store of an application that does not run.
  await using clickhouse = await openClickHouse({ path: dataDir });
  const events = ['e-1', 'e-2', 'e-3'].map((id) => ({ id, type: 'order.placed', version: 1, data: { n: 1 }, time: 0 }));
  await clickhouse.eventStore.saveEvents({ type: 'order', id: 'o-1' }, events, 0);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The program itself. */
function program(argv: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const args = ['--conditions=@bento-bus/source', '--import', loader, main, ...argv, '--data', dataDir];
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, BENTO_FOUND: '{}', ...env } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code]): Outcome => ({ code: Number(code), out, err }));
  return { child, ended };
}

/** What is the same on both, once the broker of `given` runs. */
function brokerScenarios(name: string, backend: Backend): void {
  commandScenarios(backend);
  traceScenario(backend);

  it('doctor finds the broker well, with --json too', async () => {
    const { code, out, err } = await bento(['doctor', '--json'], backend.given());
    expect({ code, err, out }).toMatchObject({ code: 0, err: '' });
    const { findings } = JSON.parse(out) as { findings: readonly { check: string; level: string }[] };
    expect(findings.filter(({ level }) => level === 'fault')).toEqual([]);
    expect(findings.some(({ check }) => check.startsWith(name))).toBe(true);
  });

  it('the program reads the store of an application that does not run, and says how far its relay is', async () => {
    const env = { ...backend.given().env };
    const log = await program(['events', 'log', '--limit', '2', '--json'], env).ended;
    expect({ ...log, out: JSON.parse(log.out || 'null') }).toMatchObject({
      code: 0,
      err: '',
      out: [{ id: 'e-1' }, { id: 'e-2' }],
    });
    const relay = await program(['relay', 'status', '--json'], env).ended;
    expect({ ...relay, out: JSON.parse(relay.out || 'null') }).toMatchObject({
      code: 0,
      err: '',
      out: { state: 'unknown', behind: 3, position: '' },
    });
  }, 60_000);

  it('the program ends a tail by Ctrl-C in good order: 130, no group left', async () => {
    const topic = `cli-signal-${name}`;
    const given = backend.given();
    await bento(['topics', 'create', topic, '--partitions', '1'], given);
    await bento(['publish', topic, '1'], given);
    const { child, ended } = program(['tail', topic, '--from', 'earliest'], given.env ?? {});
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130 });
    // As `| head -1` does.
    const headed = program(['tail', topic, '--from', 'earliest'], given.env ?? {});
    await once(headed.child.stdout, 'data');
    headed.child.stdout.destroy();
    await bento(['publish', topic, '2'], given);
    expect(await headed.ended).toMatchObject({ code: 0, err: '' });
    const left = json<readonly { group: string }[]>(await bento(['groups', 'list', topic, '--json'], given));
    expect(left).toEqual([]);
  }, 60_000);
}

describe('bento on Kafka', () => {
  let server: Awaited<ReturnType<typeof startKafka>>;
  let transport: Transport;
  beforeAll(async () => {
    // A flag that loses messages, for doctor.
    server = await startKafka({ config: { 'unclean.leader.election.enable': 'true' } });
    transport = createKafkaTransport({ brokers: server.brokers, partitions: 1 });
  }, 90_000);
  afterAll(async () => {
    await transport.close();
    await server.stop();
  }, 30_000);
  brokerScenarios('kafka', {
    given: () => ({ cwd: folder, env: { MESSAGE_BUS_TYPE: 'kafka', KAFKA_BROKERS: server.brokers } }),
    args: () => [],
    transport: () => transport,
    setting: { name: 'retention.ms', value: '86400000' },
    partitions: true,
  });

  it('doctor warns of a flag that loses messages, and says what to do', async () => {
    const { code, out } = await bento(['doctor', '--quiet'], {
      env: { MESSAGE_BUS_TYPE: 'kafka', KAFKA_BROKERS: server.brokers },
    });
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^warning {2}kafka: unclean\.leader\.election\.enable: .*\n +→ /m),
    });
  });
});

describe('bento on Pulsar', () => {
  let server: Awaited<ReturnType<typeof startPulsar>>;
  let transport: Transport;
  const backend: Backend = {
    given: () => ({ cwd: folder, env: { MESSAGE_BUS_TYPE: 'pulsar', PULSAR_WEB_URL: server.webUrl } }),
    args: () => [],
    transport: () => transport,
    setting: { name: 'messageTTL', value: '3600' },
    partitions: true,
  };
  const ok = async <T>(...argv: readonly string[]): Promise<T> => {
    const outcome = await bento([...argv, '--json'], backend.given());
    expect(outcome).toMatchObject({ code: 0, err: '' });
    return json<T>(outcome);
  };
  beforeAll(async () => {
    server = await startPulsar();
    transport = createPulsarTransport({ webUrl: server.webUrl, driver: 'websocket', partitions: 1 });
  }, 120_000);
  afterAll(async () => {
    await transport.close();
    await server.stop();
  }, 30_000);
  brokerScenarios('pulsar', backend);

  it('pulsar: clusters, tenants, namespaces, policies', async () => {
    const [cluster = ''] = await ok<readonly string[]>('pulsar', 'clusters');
    await ok('pulsar', 'tenants', 'create', 'shop', '--cluster', cluster);
    expect(await ok('pulsar', 'tenants', 'list')).toContain('shop');
    await ok('pulsar', 'tenants', 'update', 'shop', '--role', 'ada');
    expect(await ok('pulsar', 'tenants', 'show', 'shop')).toMatchObject({
      allowedClusters: [cluster],
      adminRoles: ['ada'],
    });
    await ok('pulsar', 'namespaces', 'create', 'shop/orders');
    expect(await ok('pulsar', 'namespaces', 'list', 'shop')).toEqual(['shop/orders']);
    const at = ['--namespace', 'shop/orders'];
    const retention = { retentionTimeInMinutes: 60, retentionSizeInMB: 10 };
    expect(await ok('pulsar', 'policies', 'set', 'retention', JSON.stringify(retention), '--yes', ...at)).toMatchObject(
      {
        retention,
      },
    );
    expect(await ok('pulsar', 'policies', 'set', 'schemaCompatibility', 'BACKWARD', ...at)).toMatchObject({
      schemaCompatibility: 'BACKWARD',
    });
    expect(await ok('pulsar', 'policies', 'unset', 'retention', '--yes', ...at)).toMatchObject({ retention: null });
    expect(await ok('pulsar', 'policies', 'show', ...at)).toMatchObject({ schemaCompatibility: 'BACKWARD' });
    await ok('pulsar', 'namespaces', 'delete', 'shop/orders', '--yes');
    expect(await ok('pulsar', 'tenants', 'delete', 'shop', '--yes')).toEqual({ tenant: 'shop', deleted: true });
  });

  it('schemas: list, show, check, in Pulsar', async () => {
    const topic = 'cli-schemas';
    await ok('topics', 'create', topic, '--partitions', '1');
    const fields = [{ name: 'n', type: 'int' }];
    const avro = (more: readonly object[] = []): string =>
      JSON.stringify({ type: 'record', name: 'Order', fields: [...fields, ...more] });
    const registry = createPulsarRegistry({ webUrl: server.webUrl });
    await registry.mark({ format: 'AVRO', text: avro() }, { topic, type: topic, version: 1, headers: {} });
    expect(await ok('schemas', 'list')).toContainEqual({ subject: topic, version: 0 });
    expect(await ok('schemas', 'show', topic)).toMatchObject({
      format: 'AVRO',
      version: 0,
      text: expect.stringContaining('Order'),
    });
    expect(await bento(['schemas', 'show', 'none'], backend.given())).toMatchObject({ code: 1, out: '' });
    const fine = join(folder, 'fine.avsc');
    await writeFile(fine, avro([{ name: 'm', type: 'int', default: 0 }]));
    expect(await ok('schemas', 'check', topic, fine)).toMatchObject({ compatible: true });
    const broken = join(folder, 'broken.avsc');
    await writeFile(broken, (await readFile(fine, 'utf8')).replace('"int"', '"string"'));
    const refused = await bento(['schemas', 'check', topic, broken], backend.given());
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining(`It may not follow "${topic}": `) });
  });
});
