import assert from 'node:assert/strict';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import type { Logger, Message } from '@bento-bus/core';
import {
  createPulsarAdmin,
  createPulsarTransport,
  type PulsarAdmin,
  type PulsarTransport,
  type PulsarTransportOptions,
} from '@bento-bus/pulsar-adapter';
import type { startSecurePulsar } from '@bento-bus/stack';
import { uniqueName } from './names.ts';
import { until } from './poll.ts';

export type SecurePulsar = Awaited<ReturnType<typeof startSecurePulsar>>;
type Driver = 'websocket' | 'native';

/** Looks after what is opened, and that no secret gets out. */
class Watch {
  readonly #server: SecurePulsar;
  readonly #driver: Driver;
  readonly #secrets = new Set<string>();
  readonly #opened: { close(): Promise<void> }[] = [];
  readonly #lines: string[] = [];
  readonly #logger: Logger;

  constructor(server: SecurePulsar, driver: Driver) {
    this.#server = server;
    this.#driver = driver;
    const { admin, powerless, foreignToken, oauth2 } = server.security;
    for (const secret of [admin.password, powerless.password, foreignToken, oauth2.clientSecret])
      this.#secrets.add(secret);
    const log = (text: string, fields?: object): void => void this.#lines.push(text, inspect(fields, { depth: 20 }));
    this.#logger = { debug: log, info: log, warn: log, error: log };
  }

  secret(text: string): string {
    this.#secrets.add(text);
    return text;
  }

  open(options: PulsarTransportOptions): { readonly transport: PulsarTransport; readonly admin: PulsarAdmin } {
    const tls = options.tls !== undefined;
    const all: PulsarTransportOptions = {
      serviceUrl: tls ? this.#server.serviceUrlTls : this.#server.serviceUrl,
      webUrl: tls ? this.#server.webUrlTls : this.#server.webUrl,
      logger: this.#logger,
      publishTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      ...options,
    };
    const transport = createPulsarTransport({ driver: this.#driver, ...all });
    const admin = createPulsarAdmin(all);
    this.#opened.push(transport, admin);
    for (const one of [transport, admin])
      this.clean(inspect(one, { depth: Infinity, showHidden: true }), JSON.stringify(one));
    return { transport, admin };
  }

  /** The typed code of what it rejects with, of its cause where that is of the messages only. */
  async codeOf(work: Promise<unknown>): Promise<string> {
    const started = performance.now();
    try {
      await work;
    } catch (error) {
      this.clean(inspect(error, { depth: Infinity, showHidden: true }));
      const { code, message } = error as { code?: string; message: string };
      assert.ok(performance.now() - started < 8_000, `not within seconds: ${message}`);
      assert.match(message, /^pulsar-adapter: cannot [^\n<>]+\. [^\n<>]+\.$/);
      return code ?? message;
    }
    return 'nothing: it resolved';
  }

  clean(...texts: readonly unknown[]): void {
    for (const text of texts)
      for (const secret of this.#secrets) assert.ok(!String(text).includes(secret), `a secret in: ${String(text)}`);
  }

  async end(): Promise<void> {
    await Promise.all(this.#opened.map((one) => one.close()));
    this.clean(...this.#lines);
  }
}

const message = (id: string): Message => {
  return { id, type: 'test', source: '/test', time: Date.now(), key: 'k', headers: {}, body: Buffer.from(id) };
};

/** Publishes, reads and administers. */
async function works(watch: Watch, options: PulsarTransportOptions): Promise<void> {
  const { transport, admin } = watch.open(options);
  const [topic, group] = [uniqueName('secure'), uniqueName('group')];
  const got: string[] = [];
  assert.equal(await admin.createTopic(topic, { partitions: 2 }), true);
  await transport.subscribe([topic], async ({ message: { id } }) => void got.push(id), { group });
  await transport.publish(topic, [message('one')]);
  await until('the message', () => got.length === 1, 10_000);
  assert.deepEqual(await admin.listGroups(topic), [group]);
}

async function refused(watch: Watch, code: string, topic: string, options: PulsarTransportOptions): Promise<void> {
  const { transport, admin } = watch.open(options);
  const found = await Promise.all([
    watch.codeOf(transport.publish(topic, [message('no')])),
    watch.codeOf(transport.subscribe([topic], async () => {}, { group: uniqueName('group') })),
    watch.codeOf(admin.createTopic(uniqueName('topic'))),
    watch.codeOf(admin.describeTopic(topic)),
    watch.codeOf(admin.policies.listTenants()),
  ]);
  assert.deepEqual(
    found,
    found.map(() => code),
  );
}

/** Of a service whose connections can be cut. */
async function relay(to: string): Promise<{ readonly url: string; cut(): void; close(): void }> {
  const { port, protocol } = new URL(to);
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connectTcp(Number(port), '127.0.0.1');
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address() as { port: number };
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `${protocol}//127.0.0.1:${address.port}`,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}

export interface SecurityScenario {
  readonly name: string;
  readonly run: (server: SecurePulsar, driver: Driver) => Promise<void>;
}

const scenario = (
  name: string,
  body: (watch: Watch, server: SecurePulsar, driver: Driver) => Promise<void>,
): SecurityScenario => ({
  name,
  run: async (server, driver) => {
    const watch = new Watch(server, driver);
    try {
      await body(watch, server, driver);
    } finally {
      await watch.end();
    }
  },
});

/** Life of a token that is to run out. */
const shortLife = 4;

export const securityScenarios: readonly SecurityScenario[] = [
  scenario('by token, from a text, short and from a function', async (watch, { security }) => {
    const token = watch.secret(security.token());
    await works(watch, { token });
    await works(watch, { authentication: { type: 'token', token: `${token}\n` } });
    await works(watch, { authentication: { type: 'token', token: async () => token } });
  }),
  scenario('by user and password', async (watch, { security }) => {
    await works(watch, { authentication: { type: 'basic', ...security.admin } });
  }),
  scenario('by OAuth 2.0, with one token for all that is opened', async (watch, { security }) => {
    const { issuerUrl, tokenUrl, clientId, clientSecret } = security.oauth2;
    await works(watch, { authentication: { type: 'oauth2', issuerUrl, clientId, clientSecret } });
    const before = security.oauth2.issued;
    await works(watch, { authentication: { type: 'oauth2', tokenUrl, clientId, clientSecret } });
    // One of the transport, one of the administration.
    assert.equal(security.oauth2.issued - before, 2);
  }),
  scenario('by TLS with a token, and by mutual TLS', async (watch, { security }) => {
    const { ca, clientCert: cert, clientKey: key } = security;
    await works(watch, { tls: { ca }, token: watch.secret(security.token()) });
    await works(watch, { tls: { ca, cert, key } });
    await works(watch, { tls: { allowInsecure: true }, token: watch.secret(security.token()) });
  }),
  scenario('wrong, expired, missing and foreign credentials end with AUTHENTICATION', async (watch, { security }) => {
    const { admin, oauth2, foreignToken, ca, strangerCa } = security;
    const topic = 'refused';
    const refuse = (options: PulsarTransportOptions): Promise<void> => refused(watch, 'AUTHENTICATION', topic, options);
    await refuse({});
    await refuse({ token: foreignToken });
    await refuse({ token: watch.secret('not-a-token-at-all') });
    await refuse({ token: watch.secret(security.token({ expiresInSeconds: -60 })) });
    await refuse({ authentication: { type: 'token', token: () => foreignToken } });
    await refuse({ authentication: { type: 'basic', user: admin.user, password: watch.secret('wrong-password') } });
    const { issuerUrl, clientId } = oauth2;
    const clientSecret = watch.secret('wrong-secret');
    await refuse({ authentication: { type: 'oauth2', issuerUrl, clientId, clientSecret } });
    await refuse({ tls: { ca } });
    await refuse({ tls: { ca: strangerCa }, token: watch.secret(security.token()) });
    await refuse({ tls: { ca, cert: security.strangerCert, key: security.strangerKey } });
    await refuse({ tls: { ca, cert: security.expiredCert, key: security.expiredKey } });
  }),
  scenario('a role without rights ends with AUTHORIZATION', async (watch, { security }) => {
    const owner = watch.open({ token: watch.secret(security.token()) });
    const topic = uniqueName('topic');
    await owner.admin.createTopic(topic);
    const refuse = (options: PulsarTransportOptions): Promise<void> => refused(watch, 'AUTHORIZATION', topic, options);
    const { ca, powerless, powerlessCert: cert, powerlessKey: key } = security;
    await refuse({ token: watch.secret(security.token({ role: powerless.user })) });
    await refuse({ authentication: { type: 'basic', ...powerless } });
    await refuse({ tls: { ca, cert, key } });
  }),
  scenario('a subscription goes on with a new token when the first one has expired', async (watch, server, driver) => {
    const front = await relay(server.webUrl);
    let asked = 0;
    const until0 = Date.now() + shortLife * 1_000;
    const token = (): string => {
      asked += 1;
      const left = (until0 - Date.now()) / 1_000;
      return watch.secret(server.security.token({ expiresInSeconds: left > 1 ? Math.ceil(left) : 600 }));
    };
    const webUrl = driver === 'websocket' ? front.url : server.webUrl;
    const { transport } = watch.open({ webUrl, authentication: { type: 'token', token } });
    const topic = uniqueName('rotated');
    const got: string[] = [];
    await transport.subscribe([topic], async ({ message: { id } }) => void got.push(id), { group: 'g' });
    await transport.publish(topic, [message('before')]);
    await until('the first message', () => got.includes('before'), 10_000);
    await until('the end of the first token', () => Date.now() > until0 + 1_000, 10_000);
    const before = asked;
    front.cut();
    await transport.publish(topic, [message('after')]);
    await until('the second message', () => got.includes('after'), 10_000);
    assert.ok(driver === 'native' || asked > before, 'asked again');
    await transport.close();
    front.close();
  }),
  scenario('a subscription ends with AUTHENTICATION when its only token has expired', async (watch, server, driver) => {
    const front = await relay(server.webUrl);
    const end = Date.now() + shortLife * 1_000;
    const token = watch.secret(server.security.token({ expiresInSeconds: shortLife }));
    const { transport } = watch.open({ webUrl: driver === 'websocket' ? front.url : server.webUrl, token });
    const topic = uniqueName('expired');
    const subscription = await transport.subscribe([topic], async () => {}, { group: 'g' });
    let code: string | undefined;
    const ended = subscription.closed.catch((error: { code: string }) => {
      watch.clean(inspect(error, { depth: Infinity }));
      ({ code } = error);
    });
    await until('the end of the token', () => Date.now() > end + 1_000, 10_000);
    front.cut();
    await until('the end of the subscription', () => code !== undefined, 15_000);
    await ended;
    assert.equal(code, 'AUTHENTICATION');
    assert.equal(await watch.codeOf(transport.publish(topic, [message('late')])), 'AUTHENTICATION');
    front.close();
  }),
];
