import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOperations, newToken, type Operations, serveOperations, writeEndpoint } from '@bento-bus/admin';
import type { EventStore } from '@bento-bus/core';
import * as dlq from '@bento-bus/dlq';
import { createInMemoryEventStore } from '@bento-bus/eventsourcing';
import { createInProcessAdmin, createInProcessTransport } from '@bento-bus/inprocess-bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runBento } from '../src/index.ts';
import { type Backend, commandScenarios, traceScenario } from './scenarios.ts';
import { bento, gather, json, type Outcome } from './support.ts';

/** An application on a data directory of its own, and its loopback endpoint. */
const transport = createInProcessTransport();
const store: EventStore = createInMemoryEventStore();
let rebuilt = '';
const operations: Operations = createOperations({
  admin: createInProcessAdmin(transport),
  transport,
  dlq,
  application: '/test-app',
  store,
  storeName: 'memory',
  relay: { position: '', closed: new Promise(() => {}) },
  projections: {
    names: ['orders', 'revenue'],
    failed: async (name) =>
      name === 'orders'
        ? [{ streamType: 'order', streamId: 'o-1', eventType: 'order.placed', reason: 'no such country', failedAt: 0 }]
        : [],
    rebuild: async (name, { onProgress }) => {
      onProgress?.({ position: '1', to: '1', events: 1 });
      rebuilt = name;
    },
  },
});
let dir: string;
let server: Server;
let forget: () => Promise<void>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bento-cli-'));
  const token = newToken();
  const handle = serveOperations(operations, { token });
  server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  forget = await writeEndpoint(dir, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token });
  const event = { id: 'e-1', type: 'order.placed', version: 1, data: { n: 1 }, time: 0 };
  await store.saveEvents({ type: 'order', id: 'o-1' }, [event, { ...event, id: 'e-2', type: 'order.paid' }], 0);
});
afterAll(async () => {
  await forget();
  server.closeAllConnections();
  server.close();
  await rm(dir, { recursive: true });
  await transport.close();
});

const run = (...argv: readonly string[]): Promise<Outcome> => bento([...argv, '--data', dir]);

describe('in process, through the endpoint of the application', () => {
  const backend: Backend = {
    given: () => ({}),
    args: () => ['--data', dir],
    transport: () => transport,
    partitions: false,
  };
  commandScenarios(backend);
  traceScenario(backend);

  it('events: stream, log', async () => {
    expect(json(await run('events', 'stream', 'order', 'o-1', '--from', '2', '--json'))).toMatchObject([
      { id: 'e-2', type: 'order.paid', streamVersion: 2, time: '1970-01-01T00:00:00.000Z' },
    ]);
    expect((await run('events', 'log')).out).toMatch(/order\/o-1 +1 +order\.placed +\{"n":1\}\n/);
    const [first] = json<readonly { position: string }[]>(await run('events', 'log', '--limit', '1', '--json'));
    expect(json(await run('events', 'log', '--after', first?.position ?? '', '--json'))).toMatchObject([{ id: 'e-2' }]);
    expect(await run('events', 'stream', 'order', 'none')).toMatchObject({ code: 1, out: '' });
  });

  it('relay status, projections status and rebuild', async () => {
    expect(json(await run('relay', 'status', '--json'))).toMatchObject({ state: 'running', behind: 2 });
    const status = await run('projections', 'status');
    expect(status).toMatchObject({
      code: 1,
      out: expect.stringMatching(/orders +order\/o-1 +order\.placed .* no such country/),
    });
    expect(await run('projections', 'rebuild', 'orders')).toMatchObject({ code: 2 });
    expect(await run('projections', 'rebuild', 'orders', '--yes')).toMatchObject({
      code: 0,
      out: 'Rebuilt "orders".\n',
    });
    expect(rebuilt).toBe('orders');
    expect(await run('projections', 'rebuild', 'none', '--yes')).toMatchObject({ code: 2, out: '' });
  });

  it('doctor: tells of the application', async () => {
    const { code, out } = await run('doctor');
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/application: \/test-app runs \(pid \d+\)/),
    });
  });

  it('says in one line what to do where no application runs', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'bento-cli-'));
    for (const argv of [
      ['topics', 'list'],
      ['relay', 'status'],
      ['events', 'log'],
      ['projections', 'rebuild', 'x', '--yes'],
    ]) {
      const { code, out, err } = await bento([...argv, '--data', empty]);
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/^bento: cannot [^\n]+ (?:Start it|start it|Set CLICKHOUSE_HOST|It lives)[^\n]+\n$/);
    }
    expect(await bento(['pulsar', 'clusters'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('--backend pulsar'),
    });
    await rm(empty, { recursive: true });
  });
});

describe('the habits of every command', () => {
  it('asks on a terminal before what cannot be undone', async () => {
    const given = { operations, terminal: true };
    await bento(['topics', 'create', 'asked'], given);
    const no = await bento(['topics', 'delete', 'asked'], { ...given, stdin: 'n\n' });
    expect(no).toMatchObject({ code: 1, out: '' });
    expect(no.err).toBe('This will delete topic "asked" and all that is in it. Go on? [y/N] Nothing was done.\n');
    // Ctrl-D.
    expect(await bento(['topics', 'delete', 'asked'], { ...given, stdin: '' })).toMatchObject({ code: 1, out: '' });
    expect(await bento(['topics', 'list', '--prefix', 'asked'], given)).toMatchObject({ out: 'asked\n' });
    const yes = await bento(['topics', 'delete', 'asked'], { ...given, stdin: 'y\n' });
    expect(yes).toMatchObject({ code: 0, out: 'Deleted "asked".\n' });
  });

  it('has colour on a terminal only, and not with NO_COLOR', async () => {
    await bento(['publish', 'coloured', '1'], { operations });
    const argv = ['tail', 'coloured', '--from', 'earliest', '--limit', '1'];
    const escape = '\u001b[';
    expect((await bento(argv, { operations, terminal: true })).out).toContain(escape);
    expect((await bento(argv, { operations, terminal: true, env: { NO_COLOR: '1' } })).out).not.toContain(escape);
    expect((await bento(argv, { operations })).out).not.toContain(escape);
  });

  it('lets no control character of a message reach the terminal', async () => {
    await bento(['publish', 'evil', '--codec', 'text', '\u001b]0;pwned\u0007', '--key', '\u001b[2J'], { operations });
    const { out } = await bento(['tail', 'evil', '--from', 'earliest', '--limit', '1'], { operations });
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('ends by the signal with 130, and by --timeout with 1', async () => {
    const stop = new AbortController();
    const out = { ...gather(), write: () => stop.abort() };
    const ended = await runBento(['tail', 'coloured', '--from', 'earliest'], {
      operations,
      signal: stop.signal,
      out,
      err: gather(),
    });
    expect(ended).toBe(130);
    const late = await bento(['tail', 'coloured', '--timeout', '0.05'], { operations });
    expect(late).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^bento: cannot finish within 0\.05 s/),
    });
  });

  it('ends a tail whose reader has gone', async () => {
    let lines = 0;
    const out = {
      write: () => {
        lines += 1;
      },
      get writable() {
        return lines === 0;
      },
    };
    expect(await runBento(['tail', 'coloured', '--from', 'earliest'], { operations, out, err: gather() })).toBe(0);
    expect(lines).toBe(1);
  });

  it.each([
    [
      ['publish', 'x', '{'],
      /^bento: cannot publish: the body is no JSON \([^\n]+\)\. Correct it, or add --codec text\.\n$/,
    ],
    [['publish', 'x', '--file', 'missing.json'], /^bento: cannot publish: ENOENT[^\n]+\n$/],
    [['publish', 'x', '{"a":1}', '--key-from', 'b'], /no text or number in the field "b"/],
    [['asyncapi', 'show', 'missing.json'], /cannot read the document \/nowhere\/missing\.json/],
    [['schemas', 'list'], /no registry is configured. Set SCHEMA_REGISTRY_URL/],
    [['schemas', 'check', 'x', 'schema.xml'], /Add --format/],
    [['pulsar', 'policies', 'set', 'nonsense', '1', '--backend', 'pulsar'], /there are retention, messageTTL/],
    [['groups', 'reset', 't', 'g', '--to', 'latest', '--partition', '1', '--yes'], /Write --to position:P/],
    [['topics', 'config', 't', 'novalue'], /Write NAME=VALUE/],
    [['dlq', 'list', 't'], /dlq list t GROUP/],
  ])('%j cannot be used: exit code 2', async (argv, why) => {
    const { code, out, err } = await bento(argv, { operations });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(why);
  });

  it('keeps JSON with numbers that JavaScript cannot hold as text', async () => {
    await bento(['publish', 'exact', '{"n":12345678901234567890}'], { operations });
    const [line] = [await bento(['tail', 'exact', '--from', 'earliest', '--limit', '1', '--json'], { operations })];
    expect(json(line)).toMatchObject({ data: '{"n":12345678901234567890}' });
  });
});

describe('the configuration', () => {
  it('is told whole where it cannot be used, and by doctor', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bento-cli-'));
    const env = { MESSAGE_BUS_TYPE: 'rabbit', CLICKHOUSE_PORT: '9000', KAFKA_BROKERS: 'nonsense' };
    const { code, out, err } = await bento(['topics', 'list'], { cwd: folder, env });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    for (const name of Object.keys(env)) expect(err).toContain(name);
    const doctor = await bento(['doctor', '--json'], { cwd: folder, env });
    expect(doctor.code).toBe(1);
    expect(json(doctor)).toMatchObject({
      healthy: false,
      findings: [
        { check: 'node', level: 'ok' },
        {
          check: 'configuration',
          level: 'fault',
          found: expect.stringContaining('native protocol'),
          advice: expect.any(String),
        },
      ],
    });
    await rm(folder, { recursive: true });
  });

  it('passes over what the file has for the application, and not over a typo of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bento-cli-'));
    const file = join(folder, 'bento.config.json');
    await writeFile(file, JSON.stringify({ messaging: { backend: 'inprocess', codec: 'avro' }, http: { port: 3000 } }));
    expect((await bento(['topics', 'list'], { cwd: folder })).err).toContain('cannot reach the in-process bus');
    await writeFile(file, JSON.stringify({ kafka: { broker: 'localhost:9092' } }));
    expect(await bento(['topics', 'list'], { cwd: folder })).toMatchObject({
      code: 2,
      err: expect.stringContaining('kafka.broker, which is not a setting (kafka.brokers?)'),
    });
    await rm(folder, { recursive: true });
  });

  it('doctor tells servers that do not answer, in good time', async () => {
    const servers = { kafka: { KAFKA_BROKERS: '127.0.0.1:1' }, pulsar: { PULSAR_WEB_URL: 'http://127.0.0.1:1' } };
    const looks = Object.entries(servers).map(async ([backend, env]) => {
      const outcome = await bento(['doctor', '--backend', backend, '--timeout', '6'], { env });
      return [backend, outcome] as const;
    });
    for (const [backend, { code, out }] of await Promise.all(looks)) {
      expect(code).toBe(1);
      expect(out).toMatch(new RegExp(`fault +${backend}[^\\n]*\\n +→ `));
    }
  });
});

const schema = (required: readonly string[]): object => ({
  'order.placed': {
    1: { topic: 'orders', schema: { type: 'object', properties: { orderId: { type: 'string' } }, required } },
  },
});

it('doctor tells a ClickHouse that does not answer, and its native port', async () => {
  const [gone, native] = await Promise.all(
    ['127.0.0.1:1', 'http://user:secret@127.0.0.1:9000'].map((host) =>
      bento(['doctor'], { env: { CLICKHOUSE_HOST: host } }),
    ),
  );
  expect(gone).toMatchObject({ code: 1, out: expect.stringMatching(/fault +clickhouse: reachable: .*\n +→ /) });
  expect(native).toMatchObject({
    code: 1,
    out: expect.stringMatching(/fault .*native protocol\n +→ Use the HTTP port, 8123/),
  });
  expect(native?.out).not.toContain('secret');
});

describe('asyncapi', () => {
  it('shows the events of a document, and tells what breaks', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bento-cli-'));
    await writeFile(join(folder, 'old.json'), JSON.stringify(schema(['orderId'])));
    await writeFile(join(folder, 'new.json'), JSON.stringify(schema([])));
    const given = { cwd: folder };
    expect((await bento(['asyncapi', 'show', 'old.json'], given)).out).toMatch(/order\.placed +1 +orders\n/);
    expect(json(await bento(['asyncapi', 'check', 'old.json', 'old.json', '--json'], given))).toEqual({
      compatible: true,
      changes: [],
    });
    const broken = await bento(['asyncapi', 'check', 'old.json', 'new.json'], given);
    expect(broken).toMatchObject({ code: 1, out: expect.stringContaining('"order.placed" of version 1') });
    await rm(folder, { recursive: true });
  });
});
