import { whole } from './sql.ts';

/** Names of our tables in a database. */
export const tables = { meta: 'bento_meta', events: 'events', checkpoints: 'checkpoints' } as const;

/** Begins the comment of every table of ours. */
export const mark = 'Bento Bus';

/** How tables are made. */
export interface TableOptions {
  readonly batchesPerPartition: number;
  readonly replicated: boolean;
}

/** Columns of the log and their types. Twelve: nine of the specification, and three that make it one log. */
export const eventTypes: Readonly<Record<string, string>> = {
  event_id: 'String',
  event_type: 'LowCardinality(String)',
  aggregate_id: 'String',
  aggregate_type: 'LowCardinality(String)',
  version: 'UInt32',
  payload: 'String',
  metadata: 'String',
  timestamp: "DateTime64(3, 'UTC')",
  _ingest_time: "DateTime64(6, 'UTC')",
  batch: 'UInt64',
  idx: 'UInt32',
  writer: 'String',
};

const deltas: ReadonlySet<string> = new Set(['version', 'timestamp', '_ingest_time', 'batch', 'idx']);

const eventColumnList = (): string =>
  Object.entries(eventTypes)
    .map(([name, type]) => {
      const value = name === '_ingest_time' ? ` DEFAULT now64(6, 'UTC')` : '';
      return `${name} ${type}${value} CODEC(${deltas.has(name) ? 'Delta, ' : ''}ZSTD(1))`;
    })
    .join(', ');

/** How many blocks the server remembers the tokens of. Costs nothing measurable; the log's safety rests on it. */
const tokens = (blocks: number): string =>
  `non_replicated_deduplication_window = ${whole(blocks)}, replicated_deduplication_window = ${whole(blocks)}, replicated_deduplication_window_seconds = 604800`;

/** The engine's name for one server or a cluster. */
export const engine = (name: string, replicated: boolean): string => `${replicated ? 'Replicated' : ''}${name}`;

/** DDL of the meta table, which exists before any other table of ours. */
export const metaTable = (table: string, { replicated }: TableOptions): string =>
  `CREATE TABLE IF NOT EXISTS ${table} (key String, value String, created DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
   ENGINE = ${engine('MergeTree', replicated)} ORDER BY key
   SETTINGS ${tokens(1_000)} COMMENT '${mark}: schema version and identity of the log'`;

/**
 * Schema versions: statements that lead from the one before to this one. Each is guarded, since several processes may run them at once.
 * A statement once released is never changed.
 */
export const migrations: readonly ((names: (table: string) => string, options: TableOptions) => readonly string[])[] = [
  (names, { batchesPerPartition, replicated }) => [
    // One stream's events lie together in every part; a partition is a range of batches, so that the tail of the log is a few
    // small parts. The token of a batch counts per partition, which the batch's number alone decides.
    `CREATE TABLE IF NOT EXISTS ${names(tables.events)} (${eventColumnList()})
     ENGINE = ${engine('MergeTree', replicated)} PARTITION BY intDiv(batch, ${whole(batchesPerPartition)})
     ORDER BY (aggregate_type, aggregate_id, version)
     SETTINGS index_granularity = 1024, ${tokens(100_000)} COMMENT '${mark}: the event log'`,
    `CREATE TABLE IF NOT EXISTS ${names(tables.checkpoints)} (name String, value String, version UInt64, written DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
     ENGINE = ${engine('ReplacingMergeTree(version)', replicated)} ORDER BY name
     SETTINGS index_granularity = 256 COMMENT '${mark}: checkpoints'`,
  ],
];
