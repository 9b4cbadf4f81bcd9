// Brokers that demand credentials: who has the right ones comes in, who has not is refused. Part of `npm run test:brokers`.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startSecureKafka, startSecurePulsar } from '../src/index.mjs';
import { poll } from '../src/poll.mjs';
import { handshake } from './pulsar-handshake.mjs';

// The clients of the adapters, from where they are declared.
const of = (folder) => createRequire(new URL(`../../../packages/${folder}/package.json`, import.meta.url));
const { Kafka, logLevel } = of('kafka-adapter')('kafkajs');
const WebSocket = of('pulsar-adapter')('ws');

const onProgress = (line) => console.log(line);
const timeout = 120_000;

/** PEM texts of an identity in `security`; of nobody: none. */
const identity = (security, name) =>
  name === undefined ? {} : { cert: readFileSync(security[`${name}Cert`]), key: readFileSync(security[`${name}Key`]) };
/** What a client needs for TLS. */
const tlsOf = (security, name) => ({ ca: readFileSync(security.ca), ...identity(security, name) });

/** Files with secrets are this user's alone, and the record of the server, which endpoints.json is made of, has none. */
function assertPrivate(server, config) {
  const { admin, powerless } = server.security;
  const secrets = [admin.password, powerless.password];
  const folder = server.credentials;
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  assert.equal(statSync(join(server.dir, config)).mode & 0o777, 0o600, config);
  for (const secret of secrets) assert.ok(!readFileSync(join(server.dir, 'server.json'), 'utf8').includes(secret));
  assert.match(readFileSync(server.security.clientKey, 'utf8'), /^-----BEGIN PRIVATE KEY-----/);
}

const login = (mechanism, { user: username, password }) => ({ mechanism, username, password });

const bearer = (token) => ({ authorization: `Bearer ${token}` });
const basic = (user, password) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** 101 where a producer opens, else the HTTP status or the error's code. */
const producer = (url, options) =>
  new Promise((resolve) => {
    const path = '/ws/v2/producer/persistent/public/default/secure';
    const socket = new WebSocket(url.replace('http', 'ws') + path, options);
    socket.on('open', () => socket.close()).on('close', () => resolve(101));
    socket.on('unexpected-response', (sent, { statusCode }) => {
      resolve(statusCode);
      sent.destroy();
    });
    socket.on('error', ({ code }) => resolve(code));
  });

describe('kafka', { timeout }, () => {
  let server;
  before(async () => {
    server = await startSecureKafka({ onProgress });
  });
  after(() => server?.stop());

  /** Creates a topic: resolves with nothing, or with the error's texts. */
  async function attempt(listener, { ssl, sasl }) {
    const kafka = new Kafka({
      brokers: [server[listener]],
      ssl,
      sasl,
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    const admin = kafka.admin();
    try {
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: `t${crypto.randomUUID()}` }], waitForLeaders: false });
      return undefined;
    } catch (error) {
      return [error, ...(error.errors ?? [])].map(({ message, type }) => `${type ?? ''} ${message}`).join('; ');
    } finally {
      await admin.disconnect();
    }
  }
  const tls = (name) => tlsOf(server.security, name);

  it('keeps its secrets from other users', () => assertPrivate(server, 'server.properties'));

  it('serves TLS to who trusts its authority, and nobody else', async () => {
    assert.equal(await attempt('ssl', { ssl: tls() }), undefined);
    const refusal = await attempt('ssl', { ssl: { ca: readFileSync(server.security.strangerCa) } });
    assert.match(refusal, /unable to verify|self.signed|certificate/i);
    assert.match(await attempt('ssl', {}), /./, 'no TLS');
  });

  it('demands a certificate of its authority that has not expired', async () => {
    assert.equal(await attempt('mutual', { ssl: tls('client') }), undefined);
    assert.match(await attempt('mutual', { ssl: tls() }), /certificate/i);
    assert.match(await attempt('mutual', { ssl: tls('expired') }), /alert|certificate/i);
    assert.match(await attempt('mutual', { ssl: tls('stranger') }), /alert|certificate/i);
    assert.match(await attempt('mutual', { ssl: tls('powerless') }), /AUTHORIZATION_FAILED/);
  });

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'])
    it(`demands the password by ${mechanism}`, async () => {
      const { admin, powerless } = server.security;
      for (const [listener, ssl] of [
        ['saslssl', tls()],
        ['saslplain', undefined],
      ]) {
        assert.equal(await attempt(listener, { ssl, sasl: login(mechanism, admin) }), undefined);
        const wrong = { ...admin, password: powerless.password };
        assert.match(await attempt(listener, { ssl, sasl: login(mechanism, wrong) }), /auth/i);
        const stranger = { user: 'stranger', password: admin.password };
        assert.match(await attempt(listener, { ssl, sasl: login(mechanism, stranger) }), /auth/i);
        assert.match(await attempt(listener, { ssl, sasl: login(mechanism, powerless) }), /AUTHORIZATION_FAILED/);
        assert.notEqual(await attempt(listener, { ssl }), undefined, 'no login');
      }
    });
});

describe('pulsar', { timeout }, () => {
  let server;
  before(async () => {
    server = await startSecurePulsar({ onProgress });
  });
  after(() => server?.stop());

  const tls = (name) => tlsOf(server.security, name);

  /** HTTP status of the plain port. */
  const plain = async (headers) =>
    (await fetch(`${server.webUrl}/admin/v2/persistent/public/default`, { headers })).status;
  /** HTTP status of the port with TLS, or the error's code. */
  const secure = (options, headers = {}) =>
    new Promise((resolve) => {
      const sent = request(`${server.webUrlTls}/admin/v2/persistent/public/default`, {
        ...options,
        headers,
        agent: false,
      });
      sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', ({ code }) => resolve(code));
      sent.end();
    });
  it('keeps its secrets from other users', () => assertPrivate(server, 'standalone.conf'));

  it('demands a token', async () => {
    const { token, foreignToken } = server.security;
    assert.equal(await plain(bearer(token())), 200);
    assert.equal(await secure(tls(), bearer(token())), 200);
    assert.equal(await plain(bearer(readFileSync(join(server.credentials, 'admin.token'), 'utf8'))), 200);
    assert.equal(await plain({}), 401);
    assert.equal(await secure(tls()), 401);
    assert.equal(await plain(bearer(foreignToken)), 401);
    assert.equal(await plain(bearer(token({ expiresInSeconds: -5 }))), 401);
    assert.equal(await plain(bearer(token({ role: 'powerless' }))), 403);
  });

  it('takes a token until it expires', async () => {
    const headers = bearer(server.security.token({ expiresInSeconds: 3 }));
    assert.equal(await plain(headers), 200);
    assert.equal(await poll(async () => (await plain(headers)) === 401, { deadlineMs: 10_000 }), true);
  });

  it('demands a password', async () => {
    const { admin, powerless } = server.security;
    assert.equal(await plain(basic(admin.user, admin.password)), 200);
    assert.equal(await plain(basic(admin.user, powerless.password)), 401);
    assert.equal(await plain(basic('stranger', admin.password)), 401);
    assert.equal(await plain(basic(powerless.user, powerless.password)), 403);
  });

  it('takes a certificate of its authority that has not expired', async () => {
    assert.equal(await secure(tls('client')), 200);
    assert.equal(await secure(tls('powerless')), 403);
    assert.match(String(await secure(tls('expired'))), /^(?:401|ERR_SSL|ECONNRESET|EPIPE)/);
    assert.match(String(await secure(tls('stranger'))), /^(?:401|ERR_SSL|ECONNRESET|EPIPE)/);
    assert.match(String(await secure({}, bearer(server.security.token()))), /^(?:UNABLE_TO|SELF_SIGNED)/);
  });

  it('demands the same of WebSockets', async () => {
    const { admin, token, foreignToken } = server.security;
    const { webUrl, webUrlTls } = server;
    assert.equal(await producer(webUrl, { headers: bearer(token()) }), 101);
    assert.equal(await producer(webUrl, { headers: basic(admin.user, admin.password) }), 101);
    assert.equal(await producer(webUrlTls, { ...tls(), headers: bearer(token()) }), 101);
    assert.equal(await producer(webUrlTls, tls('client')), 101);
    assert.equal(await producer(webUrl, {}), 401);
    assert.equal(await producer(webUrlTls, tls()), 401);
    assert.equal(await producer(webUrl, { headers: bearer(foreignToken) }), 401);
    assert.equal(await producer(webUrl, { headers: bearer(token({ expiresInSeconds: -5 })) }), 401);
    assert.equal(await producer(webUrl, { headers: bearer(token({ role: 'powerless' })) }), 403);
  });

  it('demands the same in its own protocol', async () => {
    const { admin, token, foreignToken } = server.security;
    const { serviceUrl, serviceUrlTls } = server;
    const ways = { token: token(), basic: `${admin.user}:${admin.password}` };
    for (const [method, data] of Object.entries(ways)) {
      assert.equal(await handshake(serviceUrl, { method, data }), 'connected', method);
      assert.equal(await handshake(serviceUrlTls, { ...tls(), method, data }), 'connected', `${method} with TLS`);
    }
    assert.equal(await handshake(serviceUrlTls, { ...tls('client'), method: 'tls' }), 'connected');
    assert.equal(await handshake(serviceUrl), 'error');
    assert.equal(await handshake(serviceUrlTls, tls()), 'error');
    assert.equal(await handshake(serviceUrlTls, { ...tls(), method: 'tls' }), 'error');
    assert.equal(await handshake(serviceUrl, { method: 'token', data: foreignToken }), 'error');
    assert.equal(await handshake(serviceUrl, { method: 'basic', data: `${admin.user}:wrong` }), 'error');
    assert.match(
      await handshake(serviceUrlTls, { ...tls('stranger'), method: 'tls' }),
      /^(?:closed|ERR_SSL|ECONNRESET|EPIPE)/,
    );
  });

  it('takes the tokens of its OAuth2 issuer', async () => {
    const { security } = server;
    const { issuerUrl, tokenUrl, clientId: client_id, clientSecret: client_secret } = security.oauth2;
    const found = await (await fetch(`${issuerUrl}/.well-known/openid-configuration`)).json();
    assert.equal(found.token_endpoint, tokenUrl);
    const body = { grant_type: 'client_credentials', client_id, client_secret };
    const headers = { 'content-type': 'application/json' };
    const asks = [
      { body: new URLSearchParams(body) },
      { body: JSON.stringify(body), headers },
      {
        body: new URLSearchParams({ grant_type: body.grant_type }),
        headers: basic(client_id, client_secret),
      },
    ];
    for (const ask of asks) {
      const response = await fetch(tokenUrl, { method: 'POST', ...ask });
      assert.equal(response.status, 200);
      const { access_token, token_type, expires_in } = await response.json();
      assert.deepEqual([token_type, expires_in], ['Bearer', 3_600]);
      assert.equal(await plain(bearer(access_token)), 200);
    }
    assert.equal(security.oauth2.issued, asks.length);
    assert.equal(security.oauth2ExpiresInSeconds, 3_600);
    security.oauth2ExpiresInSeconds = -1;
    const short = await (await fetch(tokenUrl, { method: 'POST', ...asks[0] })).json();
    assert.equal(await plain(bearer(short.access_token)), 401);
    const wrong = { ...body, client_secret: 'wrong' };
    assert.equal((await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(wrong) })).status, 401);
    assert.equal((await fetch(tokenUrl, { method: 'POST', body: JSON.stringify(wrong), headers })).status, 401);
    assert.equal((await fetch(tokenUrl, { method: 'POST', body: '{', headers })).status, 400);
  });
});
