import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from './options.ts';
import { faultsOfConnection, tlsOf } from './security.ts';

describe('the security of the connection', () => {
  it('is fine without, with TLS and with each mechanism', () => {
    const password = 'p';
    for (const connection of [
      {},
      { ssl: true },
      { ssl: false },
      { ssl: { servername: 'kafka', rejectUnauthorized: false } },
      { sasl: { mechanism: 'plain', username: 'u', password } },
      { ssl: true, sasl: { mechanism: 'scram-sha-256', username: 'u', password } },
      { ssl: true, sasl: { mechanism: 'scram-sha-512', username: 'u', password } },
    ] as const)
      expect(faultsOfConnection(connection)).toEqual([]);
  });

  it('is refused with every fault in one error, and no secret in it', () => {
    const connection = {
      ssl: { ca: 'no-PEM-S3cret', cert: 'no-PEM-S3cret', key: 'no-PEM-S3cret' },
      sasl: { mechanism: 'PLAIN', username: '', password: 7 },
    };
    let error: unknown;
    try {
      resolveOptions({ brokers: 'a:1', partitions: 0, connection: connection as never });
    } catch (failure) {
      error = failure;
    }
    expect(String(error)).toMatch(
      /connection\.ssl must have.*connection\.sasl\.mechanism must be 'plain' or 'scram-sha-256' or 'scram-sha-512'.*username.*password.*partitions must.*these 5 faults/,
    );
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/S3cret/);
  });

  it('needs a certificate and its key together', () => {
    const pem = '-----BEGIN CERTIFICATE-----';
    expect(faultsOfConnection({ ssl: { cert: pem } })).toEqual([
      'connection.ssl.cert and connection.ssl.key must come together',
    ]);
    expect(faultsOfConnection({ ssl: { key: pem } })).toEqual([
      'connection.ssl.cert and connection.ssl.key must come together',
    ]);
    expect(faultsOfConnection({ ssl: 'yes' as never })).toEqual([
      'connection.ssl must be true, false or options of TLS',
    ]);
  });

  it('is told to node:tls as it takes it', () => {
    const bytes = new TextEncoder().encode('pem');
    const { ca, cert, key, servername } = tlsOf({ ca: ['a', bytes], cert: bytes, key: 'k', servername: 's' });
    expect([ca, cert, key, servername]).toEqual([['a', Buffer.from('pem')], [Buffer.from('pem')], 'k', 's']);
    expect(tlsOf({})).toEqual({});
  });
});
