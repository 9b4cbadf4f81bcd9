import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from './config.ts';
import { kafkaSecurity, pulsarSecurity, securityFields } from './security-settings.ts';

let dir = '';
let ca = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bento-security-'));
  ca = join(dir, 'ca.pem');
  writeFileSync(ca, 'PEM');
});
afterAll(() => rmSync(dir, { recursive: true }));

const config = (env: Readonly<Record<string, string>>) => loadConfig(securityFields, { env });
const kafka = (env: Readonly<Record<string, string>>) => kafkaSecurity(config(env));
const pulsar = (env: Readonly<Record<string, string>>) => pulsarSecurity(config(env));

describe('security by configuration', () => {
  it('is none where nothing is set', () => {
    expect(pulsar({})).toEqual({});
    expect(kafka({})).toEqual({ ssl: false });
  });

  it('reads each way to Pulsar', () => {
    expect(pulsar({ PULSAR_TOKEN: 't' })).toEqual({ authentication: { type: 'token', token: 't' } });
    expect(pulsar({ PULSAR_USERNAME: 'u', PULSAR_PASSWORD: 'p', PULSAR_TLS_CA_FILE: ca })).toEqual({
      authentication: { type: 'basic', user: 'u', password: 'p' },
      tls: { ca: 'PEM' },
    });
    const oauth2 = {
      PULSAR_OAUTH2_ISSUER_URL: 'https://i',
      PULSAR_OAUTH2_CLIENT_ID: 'c',
      PULSAR_OAUTH2_CLIENT_SECRET: 's',
    };
    expect(pulsar(oauth2)).toEqual({
      authentication: { type: 'oauth2', issuerUrl: 'https://i', clientId: 'c', clientSecret: 's' },
    });
    expect(pulsar({ PULSAR_TLS_CERT_FILE: ca, PULSAR_TLS_KEY_FILE: ca })).toEqual({ tls: { cert: 'PEM', key: 'PEM' } });
  });

  it('reads each way to Kafka', () => {
    expect(kafka({ KAFKA_TLS: 'true' })).toEqual({ ssl: true });
    expect(kafka({ KAFKA_TLS_CA_FILE: ca })).toEqual({ ssl: { ca: 'PEM' } });
    const sasl = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' };
    expect(kafka(sasl)).toEqual({ ssl: false, sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' } });
  });

  it('names all that does not fit, and no secret', () => {
    const wrong = {
      PULSAR_TOKEN: 'hunter2',
      PULSAR_USERNAME: 'u',
      PULSAR_OAUTH2_CLIENT_SECRET: 'hunter3',
      PULSAR_TLS_KEY_FILE: join(dir, 'none.pem'),
    };
    expect(() => pulsar(wrong)).toThrow(
      /set one of PULSAR_TOKEN, PULSAR_USERNAME; PULSAR_USERNAME and PULSAR_PASSWORD come together; PULSAR_OAUTH2_ISSUER_URL, .* come together; PULSAR_TLS_KEY_FILE: ".*none.pem" cannot be read \(ENOENT\); PULSAR_TLS_CERT_FILE and PULSAR_TLS_KEY_FILE come together/,
    );
    expect(() => kafka({ KAFKA_PASSWORD: 'hunter2', KAFKA_TLS: 'false', KAFKA_TLS_CA_FILE: ca })).toThrow(
      /KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD come together; KAFKA_TLS is false, and files of TLS are set/,
    );
    expect(inspect(config(wrong), { depth: 9 })).not.toMatch(/hunter/);
  });
});
