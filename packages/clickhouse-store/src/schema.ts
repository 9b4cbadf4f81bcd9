import { randomUUID } from 'node:crypto';
import type { BentoError } from '@bento-bus/core';
import { fault } from './errors.ts';
import type { EventStoreOptions } from './options.ts';
import { identifier, type Sql } from './sql.ts';
import { eventTypes, mark, metaTable, migrations, type TableOptions, tables } from './tables.ts';

/** What the schema says of the log. */
export interface Schema {
  readonly identity: string;
}

/** Options of {@link ensureSchema}. */
export interface SchemaOptions extends Pick<EventStoreOptions, 'batchesPerPartition' | 'replicated'> {
  /** Engine of a database that is created here. @default the server's */
  readonly databaseEngine?: 'Atomic';
  /** False: nothing is made, see `OpenClickHouseOptions`. @default true */
  readonly create?: boolean;
}

const current = migrations.length;

/**
 * Makes the database and its tables, or checks that they are ours and not newer than this code. Idempotent, and safe from several
 * processes at once: every statement is guarded, and of several identities written at once the server keeps the first.
 */
export async function ensureSchema(sql: Sql, options: SchemaOptions): Promise<Schema> {
  const { create = true } = options;
  const doing = `${create ? 'prepare' : 'open'} database "${sql.database}"`;
  const tableOptions: TableOptions = {
    batchesPerPartition: options.batchesPerPartition ?? 1_000,
    replicated: options.replicated ?? false,
  };
  if (!(await hasDatabase(sql, doing))) {
    if (!create) throw missing(doing, 'it does not exist');
    await createDatabase(sql, doing, options.databaseEngine);
  }
  const found = await settled(
    () => findTables(sql, doing),
    (state) => state.complaint === undefined,
  );
  if (found.complaint !== undefined) throw fault('CONFIGURATION', doing, found.complaint, 'Use another database.');
  if (found.version > current)
    throw fault(
      'CONFIGURATION',
      doing,
      `its schema has version ${found.version}, this code knows ${current}`,
      'Upgrade @bento-bus/clickhouse-store.',
    );
  if (found.version < current && !create)
    throw missing(
      doing,
      found.version === 0
        ? 'it has no tables of Bento Bus'
        : `its schema has version ${found.version}, this code needs ${current}`,
    );
  if (found.version < current) await migrate(sql, doing, found.version, tableOptions);
  const identity = found.identity ?? (await readMeta(sql, doing)).get('identity');
  if (identity === undefined)
    throw fault('CONFIGURATION', doing, `table ${tables.meta} does not keep what is written`, 'Use another database.');
  await checkEventColumns(sql, doing);
  return { identity };
}

/** For those who only look. */
export const missing = (doing: string, reason: string): BentoError =>
  fault(
    'CONFIGURATION',
    doing,
    reason,
    'Start the application once, which makes what is missing, or name the database that it uses.',
  );

async function hasDatabase(sql: Sql, doing: string): Promise<boolean> {
  // Asked first: a user without the right to create databases may use one that exists.
  const rows = await sql.select<[string]>(doing, 'SELECT name FROM system.databases WHERE name = {name:String}', {
    params: { name: sql.database },
  });
  return rows.length > 0;
}

async function createDatabase(sql: Sql, doing: string, engine: 'Atomic' | undefined): Promise<void> {
  const clause = engine === undefined ? '' : ` ENGINE = ${engine}`;
  await sql.run(doing, `CREATE DATABASE IF NOT EXISTS ${identifier(sql.database)}${clause}`);
}

interface Found {
  readonly version: number;
  readonly identity?: string;
  /** Why this database is not ours to use. */
  readonly complaint?: string;
}

async function findTables(sql: Sql, doing: string): Promise<Found> {
  const rows = await sql.select<[string, string]>(
    doing,
    'SELECT name, comment FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}',
    { params: { database: sql.database, names: Object.values(tables) } },
  );
  const foreign = rows.find(([, comment]) => !comment.startsWith(mark));
  if (foreign !== undefined)
    return { version: 0, complaint: `it has a table ${foreign[0]} that Bento Bus did not make` };
  const names = new Set(rows.map(([name]) => name));
  if (!names.has(tables.meta))
    return names.size === 0 ? { version: 0 } : { version: 0, complaint: `it has lost its table ${tables.meta}` };
  const meta = await readMeta(sql, doing);
  const identity = meta.get('identity');
  if (identity === undefined) return { version: 0 };
  if (!names.has(tables.events)) return { version: 0, complaint: `it has lost its table ${tables.events}` };
  return { version: Number(meta.get('schema')), identity };
}

/** What another process is making right now looks half made: such a finding counts only when it lasts. */
async function settled<T>(look: () => Promise<T>, isFine: (state: T) => boolean): Promise<T> {
  const first = await look();
  return isFine(first) ? first : look();
}

/** Newest value of each key. */
async function readMeta(sql: Sql, doing: string): Promise<Map<string, string>> {
  const rows = await sql.select<[string, string]>(
    doing,
    `SELECT key, value FROM ${sql.table(tables.meta)} ORDER BY toUInt32OrZero(value)`,
  );
  return new Map(rows);
}

async function migrate(sql: Sql, doing: string, from: number, options: TableOptions): Promise<void> {
  await sql.run(doing, metaTable(sql.table(tables.meta), options));
  for (const statements of migrations.slice(from))
    for (const statement of statements((name) => sql.table(name), options)) await sql.run(doing, statement);
  // Last: who finds the identity finds the tables.
  const rows = [['schema', String(current)], ...(from === 0 ? [['identity', randomUUID()]] : [])];
  await sql.insert(doing, {
    table: tables.meta,
    columns: ['key', 'value'],
    body: rows.map((row) => JSON.stringify(row)).join('\n'),
    settings: { insert_deduplicate: 1, insert_deduplication_token: `schema-${current}` },
  });
}

async function checkEventColumns(sql: Sql, doing: string): Promise<void> {
  const rows = await sql.select<[string, string]>(
    doing,
    'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}',
    { params: { database: sql.database, table: tables.events } },
  );
  const types = new Map(rows);
  const wrong = Object.entries(eventTypes).filter(([name, type]) => types.get(name) !== type);
  if (wrong.length > 0)
    throw fault(
      'CONFIGURATION',
      doing,
      `table ${tables.events} has other columns than Bento Bus made (${wrong.map(([name]) => name).join(', ')})`,
      'Use another database, or restore the columns.',
    );
}
