import type { BentoError, Finding } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { diskFinding, partsFinding, schemaFinding, versionFinding, windowFinding } from './diagnose-findings.ts';
import { fault, toBentoError } from './errors.ts';
import type { ClickHouse } from './open.ts';
import { Sql } from './sql.ts';
import { tables } from './tables.ts';

const doing = 'look at the server';

/** How long somebody who looks waits for the first answer. Milliseconds. */
const patienceMs = 5_000;

/**
 * Looks at the server or engine, and at what this package made in the database: version, schema, deduplication window, settings, room on
 * disk. Never rejects for what it finds, also not for a server that does not answer within 5 s. Changes nothing.
 */
export async function diagnoseClickHouse(
  clickhouse: Pick<ClickHouse, 'client' | 'database' | 'embedded'>,
): Promise<readonly Finding[]> {
  const { client, database, embedded } = clickhouse;
  const sql = new Sql({ client, database });
  try {
    const first = sql.select<[string, string]>(doing, 'SELECT version(), timezone()');
    const [row] = await withDeadline(first, patienceMs, late);
    const [version = '', zone = ''] = row ?? [];
    const engine = embedded ? 'the engine in this process answers' : 'the server answers';
    return [
      { check: 'clickhouse: reachable', level: 'ok', found: engine },
      versionFinding(version),
      ...(await looks(sql)),
      { check: 'clickhouse: timezone', level: 'ok', found: `${zone}; times in tables of this package are UTC` },
    ];
  } catch (cause) {
    const error = toBentoError(cause, doing);
    const [found, advice] = reasonOf(error);
    const check = error.code === 'AUTHENTICATION' ? 'clickhouse: credentials' : 'clickhouse: reachable';
    return [{ check, level: 'fault', found, advice }];
  }
}

const late = (): never => {
  throw fault('TIMEOUT', doing, `no answer within ${patienceMs} ms`, 'See that it runs and has time to answer.');
};

/** One that this user may not take, or that fails, does not keep the others from being taken. */
async function look(
  name: string,
  work: () => Promise<Finding | readonly Finding[]>,
): Promise<Finding | readonly Finding[]> {
  try {
    return await work();
  } catch (cause) {
    const error = toBentoError(cause, doing);
    const [reason, advice] = reasonOf(error);
    const isDenied = error.code === 'AUTHORIZATION';
    const found = isDenied ? `not shown to this user: ${reason}` : reason;
    return { check: `clickhouse: ${name}`, level: isDenied ? 'warning' : 'fault', found, advice };
  }
}

/** What needs a look each. */
async function looks(sql: Sql): Promise<readonly Finding[]> {
  const { database } = sql;
  const all = await Promise.all([
    look('schema', async () => schemaFinding(database, await schemaOf(sql))),
    look('deduplication window', async () => windowFinding(database, await definitionOf(sql))),
    look('settings', async () => settingsFindings(await settingsOf(sql))),
    look('disk', async () =>
      diskFinding(
        await sql.select(doing, 'SELECT name, toString(unreserved_space), toString(total_space) FROM system.disks'),
      ),
    ),
    look('parts', async () => partsFinding(await partsOf(sql))),
  ]);
  return all.flat();
}

/** Version of the schema as it is written; undefined: this package has made nothing there. */
async function schemaOf(sql: Sql): Promise<number | undefined> {
  const params = { database: sql.database, table: tables.meta };
  const query = 'SELECT name FROM system.tables WHERE database = {database:String} AND name = {table:String}';
  if ((await sql.select(doing, query, { params })).length === 0) return undefined;
  const rows = await sql.select<[string]>(
    doing,
    `SELECT value FROM ${sql.table(tables.meta)} WHERE key = 'schema' ORDER BY toUInt32OrZero(value) DESC LIMIT 1`,
  );
  return Number(rows[0]?.[0] ?? 0);
}

/** Engine and settings of the log's table. */
async function definitionOf(sql: Sql): Promise<string | undefined> {
  const params = { database: sql.database, table: tables.events };
  const query = 'SELECT engine_full FROM system.tables WHERE database = {database:String} AND name = {table:String}';
  return (await sql.select<[string]>(doing, query, { params }))[0]?.[0];
}

const settingNames = ['async_insert', 'readonly'] as const;

async function settingsOf(sql: Sql): Promise<ReadonlyMap<string, string>> {
  const query = 'SELECT name, value FROM system.settings WHERE name IN {names:Array(String)}';
  return new Map(await sql.select<[string, string]>(doing, query, { params: { names: settingNames } }));
}

function settingsFindings(settings: ReadonlyMap<string, string>): readonly Finding[] {
  const isReadonly = (settings.get('readonly') ?? '0') !== '0';
  return [
    {
      check: 'clickhouse: async_insert',
      level: 'ok',
      found: `${settings.get('async_insert') ?? 'unknown'}; always 0 for what this package writes`,
    },
    isReadonly
      ? {
          check: 'clickhouse: readonly',
          level: 'fault',
          found: `${settings.get('readonly')}: this user may not write`,
          advice: 'Use a user that may.',
        }
      : { check: 'clickhouse: readonly', level: 'ok', found: '0' },
  ];
}

/** Most parts of the log in one partition. */
async function partsOf(sql: Sql): Promise<number> {
  const params = { database: sql.database, table: tables.events };
  const rows = await sql.select<[number | string]>(
    doing,
    `SELECT max(parts) FROM (SELECT count() AS parts FROM system.parts
     WHERE active AND database = {database:String} AND table = {table:String} GROUP BY partition_id)`,
    { params },
  );
  return Number(rows[0]?.[0] ?? 0);
}

/** The two halves of an error of this package: what happened, and what to do. */
function reasonOf({ message }: BentoError): readonly [reason: string, advice: string] {
  const text = message.replace(/^clickhouse-store: cannot [^:]*: /, '');
  const at = text.lastIndexOf('. ');
  return at < 0 ? [text, 'See the log of the server.'] : [text.slice(0, at), text.slice(at + 2)];
}
