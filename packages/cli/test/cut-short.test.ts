import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newToken, type Operations, writeEndpoint } from '@bento-bus/admin';
import { BentoError, type Message } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bento, json } from './support.ts';

const port = (server: Pick<Server, 'address'>): number => (server.address() as AddressInfo).port;
const listening = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });

/** Takes connections and says nothing. */
const sockets = new Set<Socket>();
const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bento-cli-'));
  await listening(silent);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  await rm(dir, { recursive: true });
});

/** Operations that only publish; what they do with a batch is the test's. */
const publishing = (publish: (messages: readonly Message[]) => Promise<void>): Operations =>
  ({ publish: (_topic: string, messages: readonly Message[]) => publish(messages) }) as unknown as Operations;

const lines = (count: number): string => Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join('');

interface Published {
  readonly published: number;
  readonly of: number;
  readonly ids: readonly string[];
}

describe('publish --lines tells what was confirmed, and no more', () => {
  const argv = ['publish', 'x', '--lines'];

  it('after Ctrl-C', async () => {
    const stop = new AbortController();
    const ids: string[] = [];
    const operations = publishing(async (messages) => {
      ids.push(...messages.map(({ id }) => id));
      stop.abort();
    });
    const given = { operations, signal: stop.signal, stdin: lines(1_200) };
    const outcome = await bento([...argv, '--json'], given);
    expect(outcome.code).toBe(130);
    expect(json<Published>(outcome)).toEqual({ topic: 'x', published: 500, of: 1_200, ids });
    expect(ids).toHaveLength(500);
    const text = await bento(argv, { ...given, signal: AbortSignal.abort() });
    expect(text).toMatchObject({ code: 130, out: 'Published 0 of 1,200 messages to "x".\n' });
    const one = await bento(['publish', 'x', '1'], { ...given, signal: AbortSignal.abort() });
    expect(one).toMatchObject({ code: 130, out: '' });
  });

  it('after a failure, and of how many it is not known', async () => {
    let calls = 0;
    const operations = publishing(async () => {
      calls += 1;
      if (calls === 2) throw new BentoError('CONNECTION', 'test: cannot publish: gone. Try again.', true);
    });
    const { code, out, err } = await bento(argv, { operations, stdin: lines(1_200) });
    expect({ code, out }).toEqual({ code: 1, out: 'Published 500 of 1,200 messages to "x".\n' });
    expect(err).toMatch(/^Whether 500 more messages of it arrived is not known[^\n]*\ntest: cannot publish: gone/);
  });

  it('when the time that was given is over', async () => {
    let calls = 0;
    const operations = publishing(() => {
      calls += 1;
      return calls === 1 ? Promise.resolve() : new Promise(() => {});
    });
    const outcome = await bento([...argv, '--json', '--timeout', '1'], { operations, stdin: lines(501) });
    expect(outcome).toMatchObject({ code: 1, err: expect.stringContaining('cannot finish within 1 s') });
    expect(json<Published>(outcome)).toMatchObject({ published: 500, of: 501 });
  });
});

describe('doctor', () => {
  it('shows every look in time, also where what is asked accepts and never answers', async () => {
    const forget = await writeEndpoint(dir, { url: `http://127.0.0.1:${port(silent)}`, token: newToken() });
    const at = `127.0.0.1:${port(silent)}`;
    const env = {
      MESSAGE_BUS_TYPE: 'kafka',
      KAFKA_BROKERS: at,
      CLICKHOUSE_HOST: at,
      SCHEMA_REGISTRY_URL: `http://${at}`,
    };
    const outcome = await bento(['doctor', '--json', '--data', dir, '--timeout', '3'], { env });
    await forget();
    expect({ code: outcome.code, err: outcome.err }).toEqual({ code: 1, err: '' });
    const { findings } = json<{ findings: readonly { check: string; level: string; found: string }[] }>(outcome);
    const faults = findings.filter(({ level }) => level === 'fault').map(({ check }) => check.replace(/:.*/, ''));
    for (const check of ['application', 'kafka', 'schemas']) expect(faults).toContain(check);
    expect(faults.some((check) => check === 'event store' || check === 'clickhouse')).toBe(true);
  });

  it('takes any number of seconds', async () => {
    const server = createHttpServer((_, response) => response.end('[]'));
    await listening(server);
    const env = { SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port(server)}` };
    for (const timeout of ['20.003', '19.777']) {
      expect(await bento(['schemas', 'list', '--timeout', timeout], { env })).toMatchObject({ code: 0, err: '' });
      const doctor = await bento(['doctor', '--data', dir, '--timeout', timeout], { env });
      expect(doctor).toMatchObject({ code: 0, out: expect.stringContaining('answers, 0 subjects') });
    }
    server.closeAllConnections();
    server.close();
  });
});
