import { isDeepStrictEqual } from 'node:util';
import type { Closeable, ColumnType, ReadModel, ReadModelStore, RowOf, VersionedRow } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { formatDecimal, parseDecimal } from './decimal.ts';
import { fault } from './fault.ts';
import { rowKey } from './row-key.ts';
import { isWellFormed } from './well-formed.ts';

/** A row as this store keeps it: checked, decimals in their shortest form. */
type Row = Readonly<Record<string, string | number>>;
interface Table {
  readonly model: ReadModel;
  readonly rows: Map<string, { readonly row: Row; readonly streamVersion: number }>;
}

/** Rows of one `find`. */
const maxLimit = 100_000;
const oldestDate = Date.UTC(1900, 0, 1);
const newestDate = Date.UTC(2299, 11, 31, 23, 59, 59, 999);
const isDate = (value: string): boolean => {
  const time = new Date(`${value}T00:00:00Z`);
  // The parser turns 30 February into 2 March: a date is one that comes back as it was.
  return (
    time.getTime() >= oldestDate && time.getTime() <= newestDate && time.toISOString() === `${value}T00:00:00.000Z`
  );
};

/** Whether a value fits a column. Ranges of time and date are ClickHouse's (`DateTime64(3)`, `Date32`), so that tests meet them too. */
const fits: Readonly<Record<ColumnType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string' && isWellFormed(value),
  integer: (value) => Number.isSafeInteger(value),
  decimal: (value) => typeof value === 'string' && parseDecimal(value) !== undefined,
  time: (value) => Number.isSafeInteger(value) && (value as number) >= oldestDate && (value as number) <= newestDate,
  date: (value) => typeof value === 'string' && isDate(value),
};

const canonical = (type: ColumnType | undefined, value: unknown): string | number =>
  type === 'decimal' && typeof value === 'string'
    ? formatDecimal(parseDecimal(value) ?? 0n)
    : (value as string | number);

function compare(type: ColumnType | undefined, left: string | number, right: string | number): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (type !== 'decimal') return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)));
  const difference = (parseDecimal(String(left)) ?? 0n) - (parseDecimal(String(right)) ?? 0n);
  return difference < 0n ? -1 : Number(difference > 0n);
}

/**
 * A {@link ReadModelStore} in memory, for tests and for applications without a server: decimals are exact, texts are ordered by their
 * UTF-8 bytes, and a model must have been given to `ensure` before its first use, all as on ClickHouse.
 * A row that does not fit its columns is refused with a `VALIDATION` error, and nothing of that call is written.
 */
class InMemoryReadModels implements ReadModelStore {
  readonly #tables = new Map<string, Table>();
  readonly #closeable: Closeable = closeOnce(() => {
    this.#closed = true;
    this.#tables.clear();
  });
  #closed = false;

  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async ensure(models: readonly ReadModel[]): Promise<void> {
    this.#assertOpen('make read models');
    for (const model of models) {
      const known = this.#tables.get(tableName(model))?.model;
      if (!known) this.#tables.set(tableName(model), { model, rows: new Map() });
      else if (!isDeepStrictEqual([known.key, known.columns], [model.key, model.columns])) {
        const cause = 'a model of this name and version has other columns. Raise the version';
        throw fault('CONFIGURATION', `make the read model "${tableName(model)}"`, cause);
      }
    }
  }

  async write<M extends ReadModel>(model: M, rows: readonly VersionedRow<M>[]): Promise<void> {
    const table = this.#table(model, 'write to');
    const checked = rows.map(({ row, streamVersion }) => ({ row: checkRow(model, row), streamVersion }));
    for (const version of checked) {
      const key = rowKey(model, version.row);
      const known = table.rows.get(key);
      if (!known || known.streamVersion <= version.streamVersion) table.rows.set(key, version);
    }
  }

  async clear(model: ReadModel): Promise<void> {
    this.#table(model, 'clear').rows.clear();
  }

  async get<M extends ReadModel>(model: M, keys: readonly Partial<RowOf<M>>[]): Promise<VersionedRow<M>[]> {
    const { rows } = this.#table(model, 'read');
    const found = [...new Set(keys.map((key) => rowKey(model, key)))].flatMap((key) => rows.get(key) ?? []);
    return found as unknown as VersionedRow<M>[];
  }

  async find<M extends ReadModel>(
    model: M,
    options: {
      readonly where?: Readonly<Record<string, unknown>>;
      readonly limit?: number;
      readonly after?: Partial<RowOf<M>>;
    } = {},
  ): Promise<RowOf<M>[]> {
    const { after, limit = 100, where } = options;
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > maxLimit) {
      throw fault('VALIDATION', `read "${model.name}"`, `limit ${limit} is no whole number from 1 to ${maxLimit}`);
    }
    const order = (left: Row, right: Row): number => compareBy(model, model.key, left, right);
    const rows = this.#matching(model, where).filter((row) => !after || order(row, after as Row) > 0);
    return rows.toSorted(order).slice(0, limit) as unknown as RowOf<M>[];
  }

  async totals<M extends ReadModel, B extends keyof RowOf<M> & string, S extends keyof RowOf<M> & string>(
    model: M,
    options: {
      readonly by?: readonly B[];
      readonly sum: readonly S[];
      readonly where?: Readonly<Record<string, unknown>>;
    },
  ): Promise<({ readonly [K in B]: RowOf<M>[K] } & { readonly [K in S]: string } & { readonly count: number })[]> {
    const { by = [], sum, where } = options;
    const wrong = [
      ...by.filter((column) => !Object.hasOwn(model.columns, column)).map((column) => `there is no "${column}"`),
      ...sum
        .filter((column) => !['decimal', 'integer'].includes(model.columns[column] ?? ''))
        .map((column) => `"${column}" is no decimal or integer column`),
      ...by
        .filter((column) => (sum as readonly string[]).includes(column))
        .map((column) => `"${column}" is in by and in sum`),
      ...([...by, ...sum].includes('count' as B) ? ['"count" is the name of the row count'] : []),
    ];
    if (wrong.length > 0) throw fault('VALIDATION', `total "${model.name}"`, wrong.join('; '));
    const groups = new Map<string, { readonly first: Row; readonly sums: bigint[]; count: number }>();
    const zeros = (): bigint[] => sum.map(() => 0n);
    if (by.length === 0) groups.set('[]', { first: {}, sums: zeros(), count: 0 });
    for (const row of this.#matching(model, where)) {
      const key = JSON.stringify(by.map((column) => row[column]));
      const group = groups.get(key) ?? { first: row, sums: zeros(), count: 0 };
      groups.set(key, group);
      group.count += 1;
      for (const [index, column] of sum.entries()) {
        group.sums[index] = (group.sums[index] ?? 0n) + (parseDecimal(String(row[column])) ?? 0n);
      }
    }
    const lines = [...groups.values()].toSorted((left, right) => compareBy(model, by, left.first, right.first));
    return lines.map(({ first, sums, count }) =>
      Object.fromEntries([
        ...by.map((column) => [column, first[column]]),
        ...sum.map((column, index) => [column, formatDecimal(sums[index] ?? 0n)]),
        ['count', count],
      ]),
    );
  }

  #matching(model: ReadModel, where: Readonly<Record<string, unknown>> = {}): Row[] {
    const wanted = Object.entries(where).filter(([, value]) => value !== undefined);
    const tests = wanted.map(([column, value]) => {
      const type = model.columns[column];
      if (!type) throw fault('VALIDATION', `filter "${model.name}" by "${column}"`, 'it has no such column');
      return [column, new Set((Array.isArray(value) ? value : [value]).map((one) => canonical(type, one)))] as const;
    });
    const rows = [...this.#table(model, 'read').rows.values()].map(({ row }) => row);
    return rows.filter((row) => tests.every(([column, values]) => values.has(row[column] ?? '')));
  }

  #table(model: ReadModel, what: string): Table {
    this.#assertOpen(`${what} "${tableName(model)}"`);
    const table = this.#tables.get(tableName(model));
    if (!table) throw fault('CONFIGURATION', `${what} "${tableName(model)}"`, 'it is not there. Call ensure() first');
    return table;
  }

  #assertOpen(what: string): void {
    if (this.#closed) throw fault('CLOSED', what, 'the read models are closed. Make new ones');
  }
}

const tableName = (model: ReadModel): string => `${model.name}_v${model.version}`;

function compareBy(model: ReadModel, columns: readonly string[], left: Row, right: Row): number {
  for (const column of columns) {
    const order = compare(model.columns[column], left[column] ?? '', right[column] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function checkRow(model: ReadModel, row: object): Row {
  const given = row as Readonly<Record<string, unknown>>;
  const wrong = Object.entries(model.columns).flatMap(([column, type]) =>
    fits[type](given[column]) ? [] : [`"${column}" is no ${type}: ${String(given[column])}`],
  );
  const strange = Object.keys(given).filter((column) => !Object.hasOwn(model.columns, column));
  const faults = [...wrong, ...strange.map((column) => `there is no column "${column}"`)];
  if (faults.length > 0) throw fault('VALIDATION', `write a row to "${tableName(model)}"`, faults.join('; '));
  return Object.fromEntries(
    Object.entries(model.columns).map(([column, type]) => [column, canonical(type, given[column])]),
  );
}

/** New, empty read models in memory. */
export function createInMemoryReadModels(): ReadModelStore {
  return new InMemoryReadModels();
}
