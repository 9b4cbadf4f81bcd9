// The application on brokers that demand proofs, as a tenant; and without the right proofs: one line, soon, and no secret in it.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSecureKafka, startSecurePulsar } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Figures, Folders, importJson, run, sample } from './cli.ts';

type Environment = Readonly<Record<string, string>>;

const folders = new Folders();
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await folders.remove();
});

const withoutTime = (figures: Figures): Figures => ({ ...figures, seconds: 0 });

const backends: readonly {
  readonly name: string;
  /** The right settings, and those that must be refused, with the secrets that must be shown nowhere. */
  readonly begin: () => Promise<{ right: Environment; wrong: Environment; secrets: readonly string[] }>;
}[] = [
  {
    name: 'kafka, by SCRAM over TLS',
    begin: async () => {
      const server = await startSecureKafka();
      stops.push(() => server.stop());
      const { ca, admin } = server.security;
      const right = {
        MESSAGE_BUS_TYPE: 'kafka',
        KAFKA_BROKERS: server.saslssl,
        KAFKA_TLS_CA_FILE: ca,
        KAFKA_SASL_MECHANISM: 'scram-sha-512',
        KAFKA_USERNAME: admin.user,
        KAFKA_PASSWORD: admin.password,
        MESSAGE_BUS_TENANT: 'acme/shop',
      };
      return {
        right,
        wrong: { ...right, KAFKA_PASSWORD: 'hunter2-wrong' },
        secrets: [admin.password, 'hunter2-wrong'],
      };
    },
  },
  {
    name: 'pulsar, by token over TLS',
    begin: async () => {
      const server = await startSecurePulsar();
      stops.push(() => server.stop());
      const { security, webUrl, webUrlTls, serviceUrlTls } = server;
      const token = security.token();
      const put = async (path: string, body: object): Promise<void> => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const made = await fetch(`${webUrl}/admin/v2/${path}`, { method: 'PUT', headers, body: JSON.stringify(body) });
        expect(made.status).toBe(204);
      };
      await put('tenants/acme', { adminRoles: [], allowedClusters: ['standalone'] });
      await put('namespaces/acme/shop', {});
      const right = {
        MESSAGE_BUS_TYPE: 'pulsar',
        PULSAR_DRIVER: 'websocket',
        PULSAR_SERVICE_URL: serviceUrlTls,
        PULSAR_WEB_URL: webUrlTls,
        PULSAR_TLS_CA_FILE: security.ca,
        PULSAR_TOKEN: token,
        MESSAGE_BUS_TENANT: 'acme/shop',
      };
      const expired = security.token({ expiresInSeconds: -60 });
      return { right, wrong: { ...right, PULSAR_TOKEN: expired }, secrets: [token, expired] };
    },
  },
];

/** Fewer orders than the sample has. */
let orders = '';
let inProcess: Figures;
beforeAll(async () => {
  const folder = await folders.make();
  orders = join(folder, 'orders.csv');
  await writeFile(orders, (await readFile(sample, 'utf8')).split('\n').slice(0, 300).join('\n'));
  inProcess = withoutTime(await importJson(orders, join(folder, 'data')));
});

describe.each(backends)('on $name', ({ begin }) => {
  let given: Awaited<ReturnType<typeof begin>>;
  let folder: string;
  beforeAll(async () => {
    folder = await folders.make();
    given = await begin();
  });

  it('an import gives the figures that it gives in process', async () => {
    expect(withoutTime(await importJson(orders, join(folder, 'data'), { env: given.right }))).toEqual(inProcess);
  });

  it('an import with wrong credentials ends with one line that says so, and no secret', async () => {
    const data = join(folder, 'refused');
    const { code, stdout, stderr } = await run(['import', orders, '--data', data], {
      env: { ...given.wrong, LOG_LEVEL: 'debug' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/Correct|credential|token|Give/i);
    for (const secret of given.secrets) expect(`${stdout}${stderr}`).not.toContain(secret);
    await rm(data, { recursive: true, force: true });
  });
});
