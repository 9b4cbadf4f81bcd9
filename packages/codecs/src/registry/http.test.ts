import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { contextOf } from '../../test/support/context.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { createConfluentRegistry } from './confluent.ts';
import { createPulsarRegistry } from './pulsar.ts';

// Only what a real registry does not do when it is asked to: see test/registry.int.test.ts for all the rest.
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
});

type Answering = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: Answering): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json =
  (status: number, body: unknown): Answering =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const schema = { format: 'AVRO', text: '"string"' } as const;
const body = Uint8Array.from([0, 0, 0, 0, 7, 1]);
const context = contextOf('orders');

describe('a registry in trouble', () => {
  it('is asked again after 5xx, and once for all who ask meanwhile', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      json(asked < 3 ? 503 : 200, asked < 3 ? 'busy' : { schema: '"string"' })(request, response);
    });
    const registry = createConfluentRegistry({ url });
    const all = Array.from({ length: 20 }, async () => registry.writerOf(body, context, 'AVRO'));
    for (const writer of await Promise.all(all)) expect(writer).toEqual({ id: '7', schema, offset: 5 });
    expect(asked).toBe(3);
    expect(registry.writerOf(body, context, 'AVRO')).toEqual({ id: '7', schema, offset: 5 });
  });

  it('is no poison: what it fails with is a retryable CONNECTION error', async () => {
    const troubles: readonly Answering[] = [
      json(500, { message: 'no disk' }),
      (_, response) => response.socket?.destroy(),
      json(200, '<html>welcome</html>'),
      json(200, { hello: 'world' }),
    ];
    const errors = troubles.map(async (trouble) => {
      const registry = createConfluentRegistry({ url: await serve(trouble), timeoutMs: 800 });
      return Promise.all([
        refusalOf(() => registry.mark(schema, context)),
        refusalOf(() => registry.writerOf(body, context, 'AVRO')),
      ]);
    });
    for (const error of (await Promise.all(errors)).flat())
      expect(error).toMatchObject({ code: 'CONNECTION', retryable: true });
  });

  it('that does not answer is a retryable TIMEOUT error', async () => {
    const url = await serve(() => {});
    const registry = createConfluentRegistry({ url, timeoutMs: 200 });
    const error = await refusalOf(() => registry.mark(schema, context));
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true });
  });

  it('that nobody listens for is a retryable CONNECTION error', async () => {
    const url = await serve(json(200, {}));
    servers.splice(0)[0]?.close();
    const registry = createPulsarRegistry({ webUrl: url, timeoutMs: 200 });
    const error = await refusalOf(() => registry.mark(schema, context));
    expect(error).toMatchObject({ code: 'CONNECTION', retryable: true });
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('is left for the next of its URLs, which is kept to', async () => {
    let silent = 0;
    const first = await serve(() => {
      silent += 1;
    });
    const second = await serve(json(200, { id: 7, schema: '"string"' }));
    const registry = createConfluentRegistry({ urls: [first, second], timeoutMs: 1_500 });
    await registry.mark(schema, context);
    await registry.writerOf(body, context, 'AVRO');
    expect(silent).toBe(1);
  });

  it('is not asked again for an unknown id before negativeTtlMs is over', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      json(404, { error_code: 40403, message: 'Schema not found' })(request, response);
    });
    const patient = createConfluentRegistry({ url, negativeTtlMs: 60_000 });
    for (let i = 0; i < 3; i += 1)
      expect((await refusalOf(() => patient.writerOf(body, context, 'AVRO'))).code).toBe('CODEC');
    expect(asked).toBe(1);
    const eager = createConfluentRegistry({ url, negativeTtlMs: 0 });
    for (let i = 0; i < 2; i += 1) await refusalOf(() => eager.writerOf(body, context, 'AVRO'));
    expect(asked).toBe(3);
  });

  it('forgets what came first when its cache is full', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      json(200, { schema: '"string"' })(request, response);
    });
    const registry = createConfluentRegistry({ url, cacheSize: 2 });
    for (const id of [1, 2, 3, 3, 2, 1]) await registry.writerOf(Uint8Array.from([0, 0, 0, 0, id]), context, 'AVRO');
    expect(asked).toBe(4);
  });
});

describe('what guards a registry', () => {
  it.each([
    [401, 'go away', 'AUTHENTICATION'],
    // Of Pulsar.
    [401, 'Unauthorized to validateTopicOperation for operation [PRODUCE]', 'AUTHORIZATION'],
    [403, 'go away', 'AUTHORIZATION'],
    [404, 'go away', 'CONFIGURATION'],
  ])('status %i with "%s" is a %s error, which no second try follows', async (status, message, code) => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      json(status, { message })(request, response);
    });
    const error = await refusalOf(() => createConfluentRegistry({ url }).mark(schema, context));
    expect(error).toMatchObject({ code, retryable: false });
    expect(error.message).toContain(message);
    expect(asked).toBe(1);
  });

  it('gets the credentials, which show in no error and no registry', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      json(401, '')(request, response);
    });
    const inUrl = url.replace('://', '://ada:s3cr3t%21@');
    const tokens = ['s3cr3t-1', 's3cr3t-2'];
    const registries = [
      createConfluentRegistry({ url, auth: { username: 'ada', password: 's3cr3t!' } }),
      createConfluentRegistry({ url: inUrl }),
      createPulsarRegistry({ webUrl: url, auth: { token: 's3cr3t-0' } }),
      createPulsarRegistry({ webUrl: url, auth: { token: () => tokens.shift() ?? '' } }),
    ];
    for (const registry of registries) {
      const error = await refusalOf(() => registry.mark(schema, context));
      expect(inspect([registry, error], { depth: null, showHidden: true })).not.toContain('s3cr3t');
    }
    await refusalOf(() => registries[3]?.mark(schema, context));
    const basic = `Basic ${Buffer.from('ada:s3cr3t!').toString('base64')}`;
    expect(seen).toEqual([basic, basic, 'Bearer s3cr3t-0', 'Bearer s3cr3t-1', 'Bearer s3cr3t-2']);
  });

  it.each([
    ['cannot be sent', () => 's3cr3t\nx', false],
    ['cannot be had', () => Promise.reject(new Error('s3cr3t')), true],
    ['never comes', () => new Promise<string>(() => {}), true],
  ])('keeps a token that %s out of its error', async (_, token, retryable) => {
    const url = await serve(json(200, {}));
    const registry = createConfluentRegistry({ url, auth: { token }, timeoutMs: 100 });
    const error = await refusalOf(() => registry.mark(schema, context));
    expect(error).toMatchObject({ code: 'AUTHENTICATION', retryable });
    expect(inspect(error, { depth: null })).not.toContain('s3cr3t');
  });

  it('follows a broker that sends it to another, with its token', async () => {
    const owner = await serve((request, response) => {
      const allowed = request.headers.authorization === 'Bearer t';
      json(allowed ? 200 : 401, { version: { version: 3 } })(request, response);
    });
    const webUrl = await serve((request, response) => {
      response.writeHead(307, { location: `${owner}${request.url}` }).end();
    });
    const registry = createPulsarRegistry({ webUrl, auth: { token: 't' } });
    const mark = await registry.mark(schema, context);
    expect(mark.headers).toEqual({ 'bento-schema': 'public/default/orders/3' });
  });

  it('does not follow for ever', async () => {
    const url = await serve((_, response) => {
      response.writeHead(307, { location: '/again' }).end();
    });
    const error = await refusalOf(() => createConfluentRegistry({ url }).mark(schema, context));
    expect(error.code).toBe('CONFIGURATION');
  });
});

describe('options of registries', () => {
  it('are checked all at once', () => {
    const auth = { token: 's3cr3t\n' };
    const bad = {
      urls: ['ftp://x'],
      subject: 'mine' as never,
      timeoutMs: 0,
      cacheSize: 1.5,
      auth: { ...auth, token: 's3cr3t\nx' },
    };
    expect(() => createConfluentRegistry(bad)).toThrow(
      /subject is none of .*url has an entry .*timeoutMs is 0.*cacheSize is 1.5.*auth.token .*Correct these 5 faults/,
    );
    expect(() => createConfluentRegistry(bad)).toThrow(expect.not.stringContaining('s3cr3t'));
    expect(() => createConfluentRegistry({})).toThrow(/url is missing/);
    expect(() => createPulsarRegistry({ webUrl: 'http://x', tenant: '..', namespace: 'a/b' })).toThrow(
      /tenant is no name .*namespace is no name/,
    );
  });
});
