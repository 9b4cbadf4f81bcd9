import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createPulsarAdmin, createPulsarTransport, type PulsarTransportOptions } from '../index.ts';
import { resolveSecurity } from './security.ts';

const secret = 'S3CRET';
const errorOf = (
  options: unknown,
  create: (options: PulsarTransportOptions) => unknown = createPulsarTransport,
): Error => {
  try {
    create(options as PulsarTransportOptions);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was taken');
};

describe('options of security', () => {
  it('names every fault, for the transport and for the admin, and no secret', () => {
    const options = {
      serviceUrl: `pulsar+ssl://me:${secret}@host:6651`,
      webUrl: `https://host?token=${secret}`,
      token: `${secret} ${secret}`,
      authentication: { type: 'oauth2', clientId: '', clientSecret: secret, scope: 1 },
      tls: { ca: '/no/such/file', cert: secret },
    };
    for (const create of [createPulsarTransport, createPulsarAdmin]) {
      const error = errorOf(options, create);
      expect(error).toMatchObject({ code: 'CONFIGURATION' });
      for (const fault of [
        /serviceUrl must not have a user or password in it: use authentication/,
        /tls\.ca must be PEM or the path of a readable PEM file/,
        /tls\.cert and tls\.key need each other/,
        /token and authentication exclude each other/,
        /token must be a text, not empty, in one line/,
        /authentication needs one of issuerUrl and tokenUrl/,
        /authentication\.clientId must be/,
        /authentication\.scope must be/,
      ])
        expect(error.message).toMatch(fault);
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(secret);
    }
  });

  it.each([
    [{ authentication: { type: 'password' } }, /authentication\.type must be 'token', 'basic' or 'oauth2'/],
    [{ authentication: { type: 'token' } }, /authentication\.token must be a text in one line, or a function/],
    [{ authentication: { type: 'basic', user: 'a:b', password: '' } }, /\.user must.*\.password must/],
    [{ tls: {} }, /tls needs serviceUrl to begin with pulsar\+ssl:\/\/ or webUrl with https:\/\//],
  ])('refuses %j', (options, fault) => {
    expect(errorOf(options)).toMatchObject({ code: 'CONFIGURATION', message: expect.stringMatching(fault) });
  });

  it('reads PEM from text and from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bento-test-'));
    const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
    const path = join(folder, 'ca.pem');
    writeFileSync(path, pem);
    const faults: string[] = [];
    expect(resolveSecurity({ tls: { ca: path, cert: pem, key: pem } }, 1_000, faults).tls()).toEqual({
      ca: pem,
      cert: pem,
      key: pem,
    });
    rmSync(folder, { recursive: true });
    expect(faults).toEqual([]);
  });

  it('asks a function for the token each time, and tells nothing of why it failed', async () => {
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      if (asked === 3) throw new Error(secret);
      return asked === 4 ? 'two\nlines' : `token-${asked}\n`;
    };
    const { headers } = resolveSecurity({ authentication: { type: 'token', token } }, 1_000, []);
    expect(await headers()).toEqual({ authorization: 'Bearer token-1' });
    expect(await headers()).toEqual({ authorization: 'Bearer token-2' });
    const failed = await headers().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'AUTHENTICATION', retryable: true });
    expect(inspect(failed, { depth: 20 })).not.toContain(secret);
    await expect(headers()).rejects.toMatchObject({ code: 'AUTHENTICATION', retryable: false });
  });
});
