import { configurationError, type Logger } from '@bento-bus/core';
import type { ClickHouseClient } from '@clickhouse/client';
import { isName, Sql } from './sql.ts';

/** What every store of this package takes. */
export interface StoreOptions {
  /** A client of yours; it stays open when the store closes. */
  readonly client: ClickHouseClient;
  /** Created where it is missing. @default 'bento' */
  readonly database?: string;
  /** @default silentLogger */
  readonly logger?: Logger;
  /**
   * Replicated tables: `Replicated…` engines, `insert_quorum='auto'` for writes and `select_sequential_consistency=1` for reads. The
   * database must exist with `ENGINE = Replicated`. Follows ClickHouse's documentation; has not been run against a cluster. @default false
   */
  readonly replicated?: boolean;
}

/** Options of {@link createClickHouseEventStore}. */
export interface EventStoreOptions extends StoreOptions {
  /**
   * Batches (group commits) per partition of the log; counts when the table is created. More: loading a stream looks at fewer parts.
   * Fewer: reading the log from the middle scans less. @default 1_000
   */
  readonly batchesPerPartition?: number;
  /** A group commit is closed before it exceeds this; one save alone may. Characters of encoded events, from 1,024 to 64 Mi. @default 4_194_304 */
  readonly maxBatchBytes?: number;
  /** Streams whose heads are kept in memory, so that a save needs no query. About 150 bytes each. @default 20_000 */
  readonly headCacheSize?: number;
}

/** Options of {@link openClickHouse}: exactly one of `path`, `url` and `client`. */
export interface OpenClickHouseOptions extends Omit<EventStoreOptions, 'client'> {
  /** Directory of an embedded engine (package `chdb`); created where it is missing. One process at a time. */
  readonly path?: string;
  /** HTTP interface of a server, `http://localhost:8123`; https for TLS. */
  readonly url?: string;
  /** With `url`. @default 'default' */
  readonly username?: string;
  /** With `url`. @default '' */
  readonly password?: string;
  /** With `url`: an answer must come within this. Milliseconds. @default 30_000 */
  readonly requestTimeoutMs?: number;
  /** A client of yours; it stays open when this closes. */
  readonly client?: ClickHouseClient;
  /**
   * False: opens only what is there, makes no directory, database or table, and brings no older schema up to date; `CONFIGURATION`
   * where something is missing. For those who only look. `ensure` of the read models makes tables all the same. @default true
   */
  readonly create?: boolean;
}

type Bounded = Pick<
  OpenClickHouseOptions,
  'batchesPerPartition' | 'maxBatchBytes' | 'headCacheSize' | 'requestTimeoutMs'
>;

const bounds: Readonly<Record<keyof Bounded, readonly [least: number, most: number]>> = {
  batchesPerPartition: [1, 1_000_000],
  maxBatchBytes: [1_024, 64 * 1024 * 1024],
  headCacheSize: [1_000, 10_000_000],
  requestTimeoutMs: [100, 3_600_000],
};

const outOfBounds = (options: Bounded): string[] =>
  Object.entries(bounds).flatMap(([field, [least, most]]) => {
    const value = options[field as keyof Bounded];
    const fits = value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most);
    return fits ? [] : [`${field} must be a whole number from ${least} to ${most}, not ${value}`];
  });

const badDatabase = (database: unknown): string[] =>
  database === undefined || isName(database)
    ? []
    : [`database must be a name of letters, digits and _, not ${JSON.stringify(database)}`];

const isClient = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'query' in value && 'exec' in value && 'command' in value;

const refuse = (doing: string, faults: readonly string[]): void => {
  if (faults.length > 0) throw configurationError(`clickhouse-store: cannot ${doing}`, faults);
};

/** Throws one `CONFIGURATION` error that names every fault. */
export function checkStoreOptions(doing: string, options: StoreOptions & Bounded): void {
  const noClient = isClient(options.client) ? [] : ['client must be a client of @clickhouse/client'];
  refuse(doing, [...noClient, ...badDatabase(options.database), ...outOfBounds(options)]);
}

/** Throws one `CONFIGURATION` error that names every fault. */
export function checkOpenOptions(options: OpenClickHouseOptions): void {
  const faults: string[] = [];
  const ways = (['path', 'url', 'client'] as const).filter((way) => options[way] !== undefined);
  if (ways.length !== 1)
    faults.push(`give one of path, url and client${ways.length === 0 ? '' : `, not ${ways.join(' and ')}`}`);
  if (options.path !== undefined && (typeof options.path !== 'string' || options.path.trim() === ''))
    faults.push('path must be a directory');
  if (options.url !== undefined) faults.push(...badUrl(options.url));
  if (options.client !== undefined && !isClient(options.client))
    faults.push('client must be a client of @clickhouse/client');
  for (const field of ['username', 'password', 'requestTimeoutMs'] as const)
    if (options[field] !== undefined && options.url === undefined) faults.push(`${field} goes with url only`);
  refuse('open ClickHouse', [...faults, ...badDatabase(options.database), ...outOfBounds(options)]);
}

/** Ports of the native protocol, plain and TLS: https://clickhouse.com/docs/guides/sre/network-ports */
const nativePorts: Readonly<Record<string, string>> = { 9000: '8123', 9440: '8443' };

function badUrl(url: string): string[] {
  const shown = withoutPassword(url);
  if (!URL.canParse(url)) return [`url must be like http://localhost:8123, not "${shown}"`];
  const { protocol, port } = new URL(url);
  const http = nativePorts[port];
  if (http !== undefined)
    return [
      `url "${shown}" has port ${port}, which is ClickHouse's native protocol: use the HTTP port, ${http} unless it was changed`,
    ];
  return protocol === 'http:' || protocol === 'https:'
    ? []
    : [`url must begin with http:// or https://, not "${shown}"`];
}

/** For error texts. */
const withoutPassword = (url: string): string => url.replace(/^([a-z+]*:\/\/)?[^/]*@/i, '$1');

/** The statements' side of the options. */
export const sqlOf = ({ client, database = 'bento', replicated = false }: StoreOptions): Sql =>
  new Sql({
    client,
    database,
    ...(replicated && {
      selectSettings: { select_sequential_consistency: 1 },
      insertSettings: { insert_quorum: 'auto' },
    }),
  });
