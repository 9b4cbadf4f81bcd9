import { fault } from '../errors.ts';
import type { Sql } from '../sql.ts';
import { engine, mark } from '../tables.ts';

/** Made when the first store is opened; it is no part of the log's schema and has no version there. */
export const tableName = 'idempotency';

/**
 * A partition a day of expiry, dropped as a whole when all in it have expired: what there has been costs nothing. Ids are
 * looked up one granule a part, hence small ones. Rows of one id are merged to the one that is kept longest. What is handled is judged by the clients' clocks; the server's, which drops
 * parts, may be an hour ahead.
 */
const ddl = (table: string, replicated: boolean): string =>
  `CREATE TABLE IF NOT EXISTS ${table} (scope LowCardinality(String), id String, expires DateTime64(3, 'UTC'))
   ENGINE = ${engine('ReplacingMergeTree(expires)', replicated)} PARTITION BY toYYYYMMDD(expires)
   ORDER BY (scope, id) TTL toDateTime(expires, 'UTC') + INTERVAL 1 HOUR
   SETTINGS index_granularity = 256, ttl_only_drop_parts = 1 COMMENT '${mark}: handled messages'`;

/** Makes the table, or checks that it is ours. Safe from several processes at once. */
export async function ensureTable(sql: Sql, replicated: boolean): Promise<void> {
  const doing = `prepare the table "${tableName}" of database "${sql.database}"`;
  await sql.run(doing, ddl(sql.table(tableName), replicated));
  const rows = await sql.select<[string]>(
    doing,
    'SELECT comment FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    { params: { database: sql.database, name: tableName } },
  );
  if (rows[0]?.[0].startsWith(mark) !== true)
    throw fault('CONFIGURATION', doing, 'Bento Bus did not make it', 'Use another database.');
}
