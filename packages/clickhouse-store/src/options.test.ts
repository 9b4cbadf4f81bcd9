import { createClient } from '@clickhouse/client';
import { describe, expect, it } from '@jest/globals';
import { checkOpenOptions, checkStoreOptions, type OpenClickHouseOptions } from './options.ts';

const client = createClient();
const messageOf = (check: () => void): string => {
  try {
    check();
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIGURATION' });
    return (error as Error).message;
  }
};

describe('the options of openClickHouse', () => {
  it.each<OpenClickHouseOptions>([
    { path: './data' },
    { url: 'http://localhost:8123' },
    { url: 'https://host', username: 'u', password: 'p', requestTimeoutMs: 5_000, database: 'my_db' },
    { client, batchesPerPartition: 10, maxBatchBytes: 1_024, headCacheSize: 1_000 },
  ])('take %p', (options) => {
    expect(messageOf(() => checkOpenOptions(options))).toBe('');
  });

  it('name every fault in one message', () => {
    const message = messageOf(() =>
      checkOpenOptions({
        url: 'ftp://x',
        path: '',
        database: 'a-b',
        headCacheSize: 1,
        maxBatchBytes: 1.5,
        requestTimeoutMs: 0,
      }),
    );
    for (const part of [
      'clickhouse-store: cannot open ClickHouse: ',
      'give one of path, url and client, not path and url',
      'path must be',
      'url must begin with http:// or https://, not "ftp://x"',
      'not "a-b"',
      'headCacheSize',
      'maxBatchBytes',
      'requestTimeoutMs',
    ])
      expect(message).toContain(part);
    expect(message).not.toContain('\n');
  });

  it('say of a native port which port is meant, and show no password', () => {
    expect(messageOf(() => checkOpenOptions({ url: 'http://me:secret@host:9000' }))).toBe(
      'clickhouse-store: cannot open ClickHouse: url "http://host:9000" has port 9000, which is ClickHouse\'s native protocol: use the HTTP port, 8123 unless it was changed. Correct it and try again.',
    );
    expect(messageOf(() => checkOpenOptions({ url: 'https://host:9440' }))).toContain('8443 unless');
    expect(messageOf(() => checkOpenOptions({ url: 'me:secret@host' }))).not.toContain('secret');
  });

  it('want one of three ways, and what belongs to it', () => {
    expect(messageOf(() => checkOpenOptions({}))).toContain('give one of path, url and client.');
    expect(messageOf(() => checkOpenOptions({ path: 'x', username: 'u', password: 'p' }))).toContain(
      'username goes with url only; password goes with url only',
    );
    expect(messageOf(() => checkOpenOptions({ client: {} as typeof client }))).toContain('client must be a client');
  });
});

describe('the options of a store alone', () => {
  it('want a client', () => {
    expect(messageOf(() => checkStoreOptions('open x', { client }))).toBe('');
    expect(
      messageOf(() => checkStoreOptions('open x', { client: undefined as unknown as typeof client, database: '' })),
    ).toBe(
      'clickhouse-store: cannot open x: client must be a client of @clickhouse/client; database must be a name of letters, digits and _, not "". Correct these 2 faults and try again.',
    );
  });
});
