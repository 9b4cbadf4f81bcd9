import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { aborted, fault, toBentoError } from './errors.ts';

/** Values of `{name:Type}` placeholders. */
export type Params = Readonly<Record<string, string | number | readonly (string | number)[]>>;

/** Settings of one statement. */
export type Settings = Readonly<Record<string, string | number>>;

const name = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** True for names that this package uses as database, table or column. */
export const isName = (value: unknown): boolean => typeof value === 'string' && name.test(value);

/** A checked name in backticks. The only way a name gets into a statement. */
export function identifier(value: string): string {
  if (!isName(value))
    throw fault(
      'CONFIGURATION',
      `use "${value}" as a name`,
      'it is not one',
      'Names are letters, digits and _, not starting with a digit.',
    );
  return `\`${value}\``;
}

/** A whole number as SQL text. The only way a number of ours gets into a statement unbound. */
export function whole(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a whole number: ${value}`);
  return String(value);
}

// Inline and not as `clickhouse_settings`: the embedded connection turns those into SET statements, which stay on the connection.
const clause = (settings: Settings): string => {
  const list = Object.entries(settings).map(([key, value]) => {
    if (typeof value === 'number') return `${key}=${whole(value)}`;
    if (!/^[\w#/-]*$/.test(value)) throw new RangeError(`not a plain setting: ${key}`);
    return `${key}='${value}'`;
  });
  return list.length === 0 ? '' : ` SETTINGS ${list.join(', ')}`;
};

/** Options of {@link Sql}. */
export interface SqlOptions {
  readonly client: ClickHouseClient;
  readonly database: string;
  /** Settings of every SELECT. */
  readonly selectSettings?: Settings;
  /** Settings of every INSERT. */
  readonly insertSettings?: Settings;
}

/** The client, one database, typed errors, settings that cannot leak. */
export class Sql {
  readonly client: ClickHouseClient;
  readonly database: string;
  readonly #select: Settings;
  readonly #insert: Settings;

  constructor({ client, database, selectSettings = {}, insertSettings = {} }: SqlOptions) {
    identifier(database);
    this.client = client;
    this.database = database;
    this.#select = selectSettings;
    this.#insert = insertSettings;
  }

  /** Qualified: the database may not exist yet, and the embedded connection knows no default. */
  table(table: string): string {
    return `${identifier(this.database)}.${identifier(table)}`;
  }

  /** Rows as arrays, in the order of the columns; the whole result is in memory, so bound it. */
  async select<Row extends readonly unknown[]>(
    doing: string,
    query: string,
    options: { readonly params?: Params; readonly settings?: Settings; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Row[]> {
    const { params = {}, settings = {}, signal } = options;
    try {
      if (signal?.aborted === true) throw aborted(doing);
      const result = await this.client.query({
        query: query + clause({ ...this.#select, ...settings }),
        format: 'JSONCompactEachRow',
        query_params: { ...params },
        // Long lists of ids do not fit into a URL.
        use_multipart_params_auto: true,
        ...(signal && { abort_signal: signal }),
      });
      return await result.json<Row>();
    } catch (cause) {
      throw signal?.aborted === true ? aborted(doing) : toBentoError(cause, doing);
    }
  }

  /** DDL and the like. */
  async run(doing: string, query: string): Promise<void> {
    try {
      await this.client.command({ query });
    } catch (cause) {
      throw toBentoError(cause, doing);
    }
  }

  /** `body`: rows as `JSONCompactEachRow`. Resolved: on the server's disk, or dropped for its deduplication token. */
  async insert(
    doing: string,
    {
      table,
      columns,
      body,
      settings = {},
    }: {
      readonly table: string;
      readonly columns: readonly string[];
      readonly body: string;
      readonly settings?: Settings;
    },
  ): Promise<void> {
    const names = columns.map(identifier).join(', ');
    try {
      const { stream } = await this.client.exec({
        query: `INSERT INTO ${this.table(table)} (${names})${clause({ async_insert: 0, ...this.#insert, ...settings })} FORMAT JSONCompactEachRow`,
        values: Readable.from([body], { objectMode: false }),
      });
      // The socket is free again only when the (empty) answer has been read.
      for await (const _ of stream);
    } catch (cause) {
      throw toBentoError(cause, doing);
    }
  }
}
