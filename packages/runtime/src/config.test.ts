import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isBentoError } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from './config.ts';
import { field, withDefault } from './fields.ts';
import { clickhouseFields, messagingFields } from './settings.ts';

const fields = {
  backend: messagingFields.messageBusType,
  ...clickhouseFields,
  brokers: field.list({ env: 'KAFKA_BROKERS', path: 'kafka.brokers', about: 'Brokers.' }),
  poll: withDefault(field.duration({ env: 'POLL', path: 'relay.poll', about: 'Interval.' }), 200),
  verbose: withDefault(field.boolean({ env: 'VERBOSE', about: 'Talk.' }), false),
  mode: field.oneOf(['a', 'b'], { env: 'MODE', about: 'Mode.' }),
  url: field.url(['pulsar', 'http'], { env: 'PULSAR_SERVICE_URL', about: 'Service.' }),
};

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bento-config-'));
});
afterAll(() => rmSync(dir, { recursive: true }));
const fileOf = (name: string, content: string): string => {
  const file = join(dir, name);
  writeFileSync(file, content);
  return file;
};
const faultOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isBentoError(error, 'CONFIGURATION')) return error.message;
    throw error;
  }
  throw new Error('no fault was found');
};

describe('loadConfig', () => {
  it('uses the defaults where nothing is set, and an empty value counts as not set', () => {
    const config = loadConfig(fields, { env: { MESSAGE_BUS_TYPE: '', CLICKHOUSE_PORT: '' } });
    expect(config).toMatchObject({ backend: 'inprocess', clickhousePort: 8123, poll: 200, verbose: false });
    expect(config.clickhouseHost).toBeUndefined();
    const port: number = config.clickhousePort;
    // @ts-expect-error a field without a default may be undefined
    const host: string = config.clickhouseHost;
    expect([port, host]).toEqual([8123, undefined]);
  });

  it('prefers the environment to .env, .env to the file, the file to the default', () => {
    const envFile = fileOf(
      '.env',
      'CLICKHOUSE_HOST=from-dotenv\nCLICKHOUSE_USER="dot env"\nMESSAGE_BUS_TYPE=kafka # which\n',
    );
    const file = fileOf(
      'a.json',
      JSON.stringify({ clickhouse: { host: 'from-file', port: 81 }, kafka: { brokers: ['x:1', 'y:2'] } }),
    );
    const config = loadConfig(fields, { env: { CLICKHOUSE_USER: 'env' }, envFile, file });
    expect(config).toMatchObject({
      clickhouseHost: 'from-dotenv',
      clickhouseUser: 'env',
      clickhousePort: 81,
      backend: 'kafka',
      brokers: ['x:1', 'y:2'],
    });
  });

  it('lists every fault in one message with the name of each variable', () => {
    const file = fileOf(
      'b.json',
      JSON.stringify({ relay: { poll: 'soon' }, mesaging: { backend: 'x' }, messaging: { bakend: 'x' } }),
    );
    const message = faultOf(() =>
      loadConfig(fields, {
        env: {
          CLICKHOUSE_PORT: '9000',
          MODE: 'c',
          VERBOSE: 'maybe',
          PULSAR_SERVICE_URL: 'ftp://x',
          KAFKA_BROKERS: 'a,,b',
          CLICKHOUSE_DATABASE: 'a-b',
        },
        file,
      }),
    );
    expect(message).toContain(
      'CLICKHOUSE_PORT is "9000": 9000 is ClickHouse\'s native protocol; use the HTTP port, 8123',
    );
    expect(message).toContain('MODE is "c": wanted is one of a, b');
    expect(message).toContain('VERBOSE is "maybe": wanted is true or false');
    expect(message).toContain('PULSAR_SERVICE_URL is "ftp://x": wanted is a URL that begins with pulsar:// or http://');
    expect(message).toContain('KAFKA_BROKERS is "a,,b"');
    expect(message).toContain('CLICKHOUSE_DATABASE is "a-b"');
    expect(message).toContain(`POLL (relay.poll in ${file}) is "soon"`);
    expect(message).toContain('has messaging.bakend, which is not a setting (messaging.backend?)');
    expect(message).toContain('has mesaging.backend, which is not a setting (messaging.backend?)');
    expect(message).not.toContain('\n');
  });

  it.each([
    ['200', 200],
    ['5s', 5_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
  ])('reads the duration %s as %d milliseconds', (text, wanted) => {
    expect(loadConfig(fields, { env: { POLL: text } }).poll).toBe(wanted);
  });

  it('names a file that is missing though it was asked for, and one that is not JSON', () => {
    expect(faultOf(() => loadConfig(fields, { env: {}, file: join(dir, 'none.json'), fileRequired: true }))).toContain(
      'none.json does not exist',
    );
    expect(faultOf(() => loadConfig(fields, { env: {}, file: fileOf('c.json', '{') }))).toContain(
      'cannot be read as JSON',
    );
    expect(faultOf(() => loadConfig(fields, { env: {}, file: fileOf('d.json', '[]') }))).toContain(
      'does not hold a JSON object',
    );
    expect(loadConfig(fields, { env: {}, file: join(dir, 'none.json') }).backend).toBe('inprocess');
  });

  it('names the lines of .env that say nothing clearly', () => {
    const envFile = fileOf('bad.env', 'CLICKHOUSE_HOST=h\nCLICKHOUSE_PASSWORD hunter2\n');
    const message = faultOf(() => loadConfig(fields, { env: {}, envFile }));
    expect(message).toContain('bad.env line 2 is not understood: wanted is NAME=value');
    expect(message).not.toContain('hunter2');
  });

  it('keeps credentials out of its message, in a URL as well as in broken JSON', () => {
    const file = fileOf('e.json', '{ "clickhouse": { "password": "hunter2" x } }');
    const message = faultOf(() => loadConfig(fields, { env: { PULSAR_SERVICE_URL: 'ftp://me:hunter2@h' }, file }));
    expect(message).toContain('PULSAR_SERVICE_URL is "ftp://***@h"');
    expect(message).toContain('e.json cannot be read as JSON');
    expect(message).not.toContain('hunter2');
  });

  it('reads a file that begins with a byte order mark', () => {
    const file = fileOf('f.json', '\ufeff{ "clickhouse": { "host": "h" } }');
    expect(loadConfig(fields, { env: {}, file }).clickhouseHost).toBe('h');
  });

  it('takes a password with its blanks, and trims other values', () => {
    const config = loadConfig(fields, { env: { CLICKHOUSE_PASSWORD: ' pass ', CLICKHOUSE_USER: ' me ' } });
    expect([config.clickhousePassword?.reveal(), config.clickhouseUser]).toEqual([' pass ', 'me']);
  });

  it.each(['5 s', '-1', '1e3', '9'.repeat(20), ''.padEnd(400, '9')])('refuses the duration %s', (text) => {
    expect(faultOf(() => loadConfig(fields, { env: { POLL: text } }))).toContain('wanted is a time like 200ms');
  });

  it('never shows a secret', () => {
    const { clickhousePassword } = loadConfig(fields, { env: { CLICKHOUSE_PASSWORD: 'hunter2' } });
    expect(clickhousePassword?.reveal()).toBe('hunter2');
    expect(
      `${clickhousePassword?.toString()} ${JSON.stringify({ clickhousePassword })} ${inspect({ clickhousePassword })}`,
    ).not.toContain('hunter2');
    const refused = { password: field.secret({ env: 'PW', about: 'x', check: () => 'too short' }) };
    expect(faultOf(() => loadConfig(refused, { env: { PW: 'hunter2' } }))).toMatch(/PW: too short/);
    expect(faultOf(() => loadConfig(refused, { env: { PW: 'hunter2' } }))).not.toContain('hunter2');
  });
});
