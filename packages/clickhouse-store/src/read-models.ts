import type { Closeable, ReadModel, ReadModelStore, RowOf, VersionedRow, Where } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { closedError, fault, invalid } from './errors.ts';
import { checkStoreOptions, type StoreOptions, sqlOf } from './options.ts';
import { encodeRows, findQuery, getQueries, totalsQuery, type Values } from './read-model-sql.ts';
import { mismatch, type ReadModelTable, readModelDdl, tableOf } from './read-model-table.ts';
import { ensureSchema } from './schema.ts';
import type { Sql } from './sql.ts';

/** Characters of one insert. */
const maxInsert = 8 * 1024 * 1024;
const maxLimit = 100_000;

class ClickHouseReadModels implements ReadModelStore {
  readonly #sql: Sql;
  readonly #replicated: boolean;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closeable: Closeable = closeOnce(() => this.#close());
  #closed = false;

  constructor(sql: Sql, replicated: boolean) {
    this.#sql = sql;
    this.#replicated = replicated;
  }

  ensure(models: readonly ReadModel[]): Promise<void> {
    return this.#during('make read models', async () => {
      const wanted = models.map(tableOf);
      for (const table of wanted)
        await this.#sql.run(
          `make the read model "${table.name}"`,
          readModelDdl(this.#sql.table(table.name), table, this.#replicated),
        );
      await this.#check(wanted);
    });
  }

  async #check(wanted: readonly ReadModelTable[]): Promise<void> {
    const doing = 'look at read models';
    const params = { database: this.#sql.database, names: wanted.map(({ name }) => name) };
    const where = 'WHERE database = {database:String}';
    const found = await this.#sql.select<[string, string, string]>(
      doing,
      `SELECT name, comment, sorting_key FROM system.tables ${where} AND name IN {names:Array(String)}`,
      { params },
    );
    const types = await this.#sql.select<[string, string, string]>(
      doing,
      `SELECT table, name, type FROM system.columns ${where} AND table IN {names:Array(String)}`,
      { params },
    );
    for (const table of wanted) {
      const [, comment = '', sortingKey = ''] = found.find(([name]) => name === table.name) ?? [];
      const own = new Map(types.filter(([name]) => name === table.name).map(([, column, type]) => [column, type]));
      const problem = mismatch(table, { comment, sortingKey, types: own });
      if (problem !== undefined)
        throw fault(
          'CONFIGURATION',
          `make the read model "${table.name}" in database "${this.#sql.database}"`,
          problem,
          'Raise the version of the model, or drop the table.',
        );
    }
  }

  write<M extends ReadModel>(model: M, rows: readonly VersionedRow<M>[]): Promise<void> {
    return this.#on(model, 'write to', async (table, doing) => {
      const lines = encodeRows(doing, table, rows);
      for (const body of chunks(lines))
        await this.#sql.insert(doing, {
          table: table.name,
          columns: [...table.types.keys()],
          body,
          settings: { insert_deduplicate: 0 },
        });
    });
  }

  clear(model: ReadModel): Promise<void> {
    return this.#on(model, 'clear', ({ name }, doing) =>
      this.#sql.run(doing, `TRUNCATE TABLE ${this.#sql.table(name)}`),
    );
  }

  get<M extends ReadModel>(model: M, keys: readonly Partial<RowOf<M>>[]): Promise<VersionedRow<M>[]> {
    return this.#on(model, 'read', async (table, doing) => {
      const found: VersionedRow<M>[] = [];
      for (const { query, params } of getQueries(doing, this.#sql.table(table.name), table, keys)) {
        const rows = await this.#sql.select<Values>(doing, query, { params });
        for (const row of rows) found.push({ row: toRow<M>(table, row), streamVersion: Number(row.at(-1)) });
      }
      return found;
    });
  }

  find<M extends ReadModel>(
    model: M,
    options: { readonly where?: Where<M>; readonly limit?: number; readonly after?: Partial<RowOf<M>> } = {},
  ): Promise<RowOf<M>[]> {
    const { where, after, limit = 100 } = options;
    return this.#on(model, 'read', async (table, doing) => {
      if (!Number.isSafeInteger(limit) || limit < 1 || limit > maxLimit)
        throw invalid(
          doing,
          [{ path: 'limit', message: `is not a whole number from 1 to ${maxLimit}` }],
          'Read in pages with after.',
        );
      const { query, params } = findQuery(doing, this.#sql.table(table.name), table, {
        where,
        after,
        limit,
      });
      const rows = await this.#sql.select<Values>(doing, query, { params });
      return rows.map((row) => toRow<M>(table, row));
    });
  }

  totals<M extends ReadModel, B extends keyof RowOf<M> & string, S extends keyof RowOf<M> & string>(
    model: M,
    options: { readonly by?: readonly B[]; readonly sum: readonly S[]; readonly where?: Where<M> },
  ): Promise<({ readonly [K in B]: RowOf<M>[K] } & { readonly [K in S]: string } & { readonly count: number })[]> {
    const { by = [], sum, where } = options;
    return this.#on(model, 'total', async (table, doing) => {
      const { query, params } = totalsQuery(doing, this.#sql.table(table.name), table, {
        by,
        sum,
        where,
      });
      const rows = await this.#sql.select<Values>(doing, query, { params });
      return rows.map((row) => {
        const groups = by.map((column, i) => [column, table.columns.get(column)?.decode(row[i] ?? '')]);
        const sums = sum.map((column, i) => [column, String(row[by.length + i])]);
        return Object.fromEntries([...groups, ...sums, ['count', Number(row.at(-1))]]) as never;
      });
    });
  }

  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }

  #on<T>(model: ReadModel, verb: string, work: (table: ReadModelTable, doing: string) => Promise<T>): Promise<T> {
    return this.#during(`${verb} "${model.name}_v${model.version}"`, (doing) => work(tableOf(model), doing));
  }

  async #during<T>(doing: string, work: (doing: string) => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError(doing);
    const running = work(doing);
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }
}

/** A row of the port: the selected columns of the model, in their order. */
const toRow = <M extends ReadModel>(table: ReadModelTable, values: Values): RowOf<M> =>
  Object.fromEntries([...table.columns].map(([name, column], i) => [name, column.decode(values[i] ?? '')])) as RowOf<M>;

function* chunks(lines: readonly string[]): Generator<string> {
  let chunk: string[] = [];
  let size = 0;
  for (const line of lines) {
    if (size + line.length > maxInsert && chunk.length > 0) {
      yield chunk.join('\n');
      chunk = [];
      size = 0;
    }
    chunk.push(line);
    size += line.length;
  }
  if (chunk.length > 0) yield chunk.join('\n');
}

/** Read models on a prepared database. */
export const readModelsOn = (sql: Sql, replicated = false): ReadModelStore => new ClickHouseReadModels(sql, replicated);

/**
 * Read-model tables on a client of yours: `<name>_v<version>`, `ReplacingMergeTree` by stream version, read with FINAL, so that a row
 * written twice or in any order counts once. Decimals and sums are exact, texts are ordered by their UTF-8 bytes, times are UTC. Besides what the port
 * says: `VALIDATION` for rows and filters that do not fit the columns, `CONFIGURATION` for a definition that cannot be a table
 * and for a model that `ensure` has not made. Errors of opening as of {@link createClickHouseEventStore}.
 */
export async function createClickHouseReadModels(options: StoreOptions): Promise<ReadModelStore> {
  checkStoreOptions('open the read models', options);
  const sql = sqlOf(options);
  await ensureSchema(sql, options);
  return readModelsOn(sql, options.replicated);
}
