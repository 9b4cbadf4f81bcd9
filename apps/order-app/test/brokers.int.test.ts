// The application on each broker, in processes of its own: the same figures as in process, work shared by processes, failures told.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { startClickHouse, startKafka, startPulsar } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Figures, Folders, generator, importJson, resultOf, run, sample, start, until } from './cli.ts';

type Environment = Readonly<Record<string, string>>;

const folders = new Folders();
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await folders.remove();
});

const withoutTime = ({ seconds, ...figures }: Figures): Omit<Figures, 'seconds'> => {
  expect(seconds).toBeGreaterThan(0);
  return figures;
};

/** A port at which nobody listens. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** How often a group is read by another client at present. */
type Members = (group: string, topic: string) => Promise<number>;

const backends: readonly {
  readonly name: string;
  readonly begin: () => Promise<{ readonly env: Environment; readonly members: Members }>;
}[] = [
  {
    name: 'kafka',
    begin: async () => {
      const server = await startKafka();
      stops.push(() => server.stop());
      const { brokers } = server;
      const { Kafka, logLevel } = (await import('kafkajs')).default;
      const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      stops.push(() => admin.disconnect());
      return {
        env: { MESSAGE_BUS_TYPE: 'kafka', KAFKA_BROKERS: brokers },
        members: async (group) => (await admin.describeGroups([group])).groups[0]?.members.length ?? 0,
      };
    },
  },
  {
    name: 'pulsar',
    begin: async () => {
      const server = await startPulsar();
      stops.push(() => server.stop());
      const { serviceUrl, webUrl } = server;
      return {
        env: {
          MESSAGE_BUS_TYPE: 'pulsar',
          PULSAR_DRIVER: 'websocket',
          PULSAR_SERVICE_URL: serviceUrl,
          PULSAR_WEB_URL: webUrl,
        },
        members: async (group, topic) => {
          const answer = await fetch(`${webUrl}/admin/v2/persistent/public/default/${topic}/stats`);
          if (!answer.ok) return 0;
          const stats = (await answer.json()) as {
            subscriptions: Record<string, { consumers: unknown[] } | undefined>;
          };
          return stats.subscriptions[group]?.consumers.length ?? 0;
        },
      };
    },
  },
];

let inProcess: Omit<Figures, 'seconds'>;
beforeAll(async () => {
  inProcess = withoutTime(await importJson(sample, join(await folders.make(), 'data')));
});

describe.each(backends)('on $name', ({ begin }) => {
  let env: Environment;
  let members: Members;
  let folder: string;
  beforeAll(async () => {
    folder = await folders.make();
    ({ env, members } = await begin());
  });

  it('an import gives the figures that it gives in process, and again nothing new', async () => {
    const data = join(folder, 'data');
    expect(withoutTime(await importJson(sample, data, { env }))).toEqual(inProcess);
    expect(withoutTime(await importJson(sample, data, { env }))).toEqual({ ...inProcess, newEvents: 0 });
  });

  it('another store on the same broker is not mixed up with it', async () => {
    expect(withoutTime(await importJson(sample, join(folder, 'other'), { env }))).toEqual(inProcess);
  });

  it.each(['avro', 'protobuf'])(
    'an import as %s gives the same figures, on topics that have JSON too',
    async (codec) => {
      const data = join(folder, codec);
      const own = { ...env, MESSAGE_CODEC: codec };
      expect(withoutTime(await importJson(sample, data, { env: own }))).toEqual(inProcess);
    },
  );

  it('an import that is killed is completed by another run, with exact figures', async () => {
    const data = join(folder, 'killed');
    for (const round of [1, 3]) {
      const { child, ended, written } = start(['import', sample, '--data', data, '--json'], { env });
      await until('the import has begun', () => child.exitCode !== null || written.stderr.includes('Importing 2,000'));
      const timer = setTimeout(() => child.kill('SIGKILL'), round * 250);
      await ended;
      clearTimeout(timer);
    }
    const { newEvents } = inProcess;
    const figures = await importJson(sample, data, { env });
    expect(figures.newEvents).toBeLessThanOrEqual(newEvents);
    expect(withoutTime({ ...figures, newEvents })).toEqual(inProcess);
  });

  it('an event that cannot be projected ends the wait with exit code 1', async () => {
    const data = join(folder, 'spoiled');
    const spoil = join(import.meta.dirname, 'spoil-store.mjs');
    expect(await run([data, 'event'], { script: spoil })).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await run(['import', sample, '--data', data, '--json'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/failed events: version 1 of "order\/bad" in "orders"/);
  });

  it('two processes on one ClickHouse share the work of a group, and the figures are those of both', async () => {
    const clickhouse = await startClickHouse();
    stops.push(() => clickhouse.stop());
    const shared = { ...env, CLICKHOUSE_HOST: clickhouse.host, CLICKHOUSE_PORT: clickhouse.port };
    const files = ['6', '7'].map((digit) => {
      const file = join(folder, `invoices-${digit}.csv`);
      const shape = ['--invoices', '4000', '--lines', '2', '--credit-notes', '0', '--seed', digit];
      execFileSync(process.execPath, [generator, ...shape, '--out', file]);
      // Other numbers in each file; the generator's begin with a 6.
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/^6/gm, digit));
      return file;
    });
    const runs = files.map((file, index) =>
      start(['import', file, '--data', join(folder, `process-${index}`), '--json'], { env: shared }),
    );
    let most = 0;
    const watching = until(
      'both are members',
      async () => {
        most = Math.max(most, await members('read-models', 'orders'));
        return most > 1 || runs.every(({ child }) => child.exitCode !== null);
      },
      120_000,
    );
    const ends = await Promise.all(runs.map(({ ended }) => ended));
    await watching;
    for (const end of ends) expect(resultOf(end)).toMatchObject({ newEvents: 4_000 });
    expect(most).toBe(2);
    const after = await importJson(files[0] as string, join(folder, 'process-0'), { env: shared });
    expect(after).toMatchObject({ orders: 8_000, lines: 16_000, newEvents: 0 });
  });

  it('a broker that is not there is told in one line, within its time', async () => {
    const port = await freePort();
    const nowhere = {
      ...env,
      KAFKA_BROKERS: `127.0.0.1:${port}`,
      PULSAR_SERVICE_URL: `pulsar://127.0.0.1:${port}`,
      PULSAR_WEB_URL: `http://127.0.0.1:${port}`,
    };
    const { code, stdout, stderr } = await run(['import', sample, '--data', join(folder, 'nowhere')], { env: nowhere });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toContain(`127.0.0.1:${port}`);
  });
});
