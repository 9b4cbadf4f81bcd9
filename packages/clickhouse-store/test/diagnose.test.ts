import { type ClickHouse, diagnoseClickHouse } from '@bento-bus/clickhouse-store';
import type { Finding } from '@bento-bus/core';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { diskFinding, partsFinding, versionFinding } from '../src/diagnose-findings.ts';
import { Engine, newEvents, order } from './support/engine.ts';
import { httpFacade } from './support/http-facade.ts';

const engine = new Engine();
let opened: ClickHouse;
beforeAll(async () => {
  opened = await engine.open();
});
afterAll(() => engine.close());

const complaints = (findings: readonly Finding[]): Record<string, string> => {
  const bad = findings.filter(({ level }) => level !== 'ok');
  expect(bad.filter(({ advice = '' }) => !/^[A-Z].+\.$/.test(advice))).toEqual([]);
  return Object.fromEntries(bad.map(({ check, level }) => [check.replace('clickhouse: ', ''), level]));
};

const gibi = 1_073_741_824;
const disk = (free: number, total: number): readonly [string, string, string] => ['default', `${free}`, `${total}`];

describe('diagnosis of ClickHouse', () => {
  it('finds a healthy engine well, and says what it is', async () => {
    await opened.eventStore.saveEvents(order('1'), newEvents(3), 0);
    const findings = await diagnoseClickHouse(opened);
    // The disk is that of the machine.
    expect(complaints(findings.filter(({ check }) => check !== 'clickhouse: disk'))).toEqual({});
    expect(Object.fromEntries(findings.map(({ check, found }) => [check, found]))).toMatchObject({
      'clickhouse: reachable': 'the engine in this process answers',
      'clickhouse: version': expect.stringMatching(/^\d+\.\d+\.\S+; tried with/),
      'clickhouse: schema': `version 1 in database "${opened.database}"`,
      'clickhouse: deduplication window': '100000 batches',
      'clickhouse: disk': expect.stringMatching(/^"\w+" has [\d.]+ [GM]iB of [\d.]+ GiB free/),
      'clickhouse: parts': 'at most 1 in a partition of the log',
      'clickhouse: readonly': '0',
    });
  });

  it('finds a log that is not safe, a newer schema, and a database without one', async () => {
    const { client, database } = await engine.open();
    const alter = (setting: string): Promise<unknown> =>
      client.command({ query: `ALTER TABLE ${database}.events MODIFY SETTING ${setting}` });
    const look = async (name: string): Promise<Record<string, string>> => {
      const findings = await diagnoseClickHouse({ client, database: name, embedded: true });
      return complaints(findings.filter(({ check }) => check !== 'clickhouse: disk'));
    };
    await alter('non_replicated_deduplication_window = 0');
    expect(await look(database)).toEqual({ 'deduplication window': 'fault' });
    await alter('non_replicated_deduplication_window = 1000');
    expect(await look(database)).toEqual({ 'deduplication window': 'warning' });
    await alter('non_replicated_deduplication_window = 100000');
    await client.command({ query: `INSERT INTO ${database}.bento_meta (key, value) VALUES ('schema', '99')` });
    expect(await look(database)).toEqual({ schema: 'fault' });
    expect(await look('nowhere')).toEqual({ schema: 'warning' });
  });

  it('finds that nobody answers, and wrong credentials, and rejects for nothing', async () => {
    const facade = await httpFacade(opened.client);
    const at = async (url: string): Promise<Record<string, string>> => {
      const client = createClient({
        url,
        username: 'mallory',
        password: 'wrong',
        log: { level: ClickHouseLogLevel.OFF },
      });
      const findings = await diagnoseClickHouse({ client, database: opened.database, embedded: false });
      await client.close();
      expect(JSON.stringify(findings)).not.toContain('wrong');
      return complaints(findings);
    };
    expect(await at(facade.url)).toEqual({ credentials: 'fault' });
    await facade.close();
    expect(await at(facade.url)).toEqual({ reachable: 'fault' });
  });

  it('tells room on disk, and too many parts', () => {
    expect(diskFinding([disk(50 * gibi, 100 * gibi)])).toMatchObject({
      level: 'ok',
      found: expect.stringMatching(/50\.0 GiB of 100\.0/),
    });
    expect(diskFinding([disk(50 * gibi, 100 * gibi), disk(gibi / 2, 100 * gibi)])).toMatchObject({ level: 'warning' });
    expect(diskFinding([disk(1_000, 100 * gibi)])).toMatchObject({ level: 'fault' });
    expect(diskFinding([disk(2 ** 63, 2 ** 63)])).toMatchObject({ level: 'ok', found: 'no disk with a known size' });
    expect([0, 999, 1_000].map((most) => partsFinding(most).level)).toEqual(['ok', 'ok', 'warning']);
    expect(['26.7.1.1', '25.3', '24.8.4', '24.3.1', '23.12', ''].map((one) => versionFinding(one).level)).toEqual([
      'ok',
      'ok',
      'ok',
      'warning',
      'warning',
      'warning',
    ]);
  });
});
