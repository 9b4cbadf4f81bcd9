import { invalid } from './errors.ts';
import { pieces } from './lists.ts';
import { type ReadModelTable, versionColumn } from './read-model-table.ts';
import { identifier, type Params, whole } from './sql.ts';

/** A row of any model, or a part of one. */
export type AnyRow = Readonly<Record<string, unknown>>;
/** A row as the server gives it. */
export type Values = readonly (string | number)[];

/** A statement and the values of its placeholders. */
export interface Query {
  readonly query: string;
  readonly params: Params;
}

interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Faults that one error names. */
const maxIssues = 20;
/** Values that a filter takes for a column. */
const maxValues = 10_000;

const refuse = (doing: string, issues: readonly Issue[], advice: string): void => {
  if (issues.length > 0) throw invalid(doing, issues.slice(0, maxIssues), advice);
};

/** Rows as `JSONCompactEachRow`, each checked. Throws `VALIDATION` with the faults of all. */
export function encodeRows(
  doing: string,
  table: ReadModelTable,
  rows: readonly { readonly row: AnyRow; readonly streamVersion: number }[],
): string[] {
  const issues: Issue[] = [];
  const lines = rows.map(({ row, streamVersion }, i) => {
    if (!Number.isSafeInteger(streamVersion) || streamVersion < 0)
      issues.push({ path: `rows[${i}].streamVersion`, message: 'is not a whole number' });
    for (const name of Object.keys(row))
      if (!table.columns.has(name)) issues.push({ path: `rows[${i}].row.${name}`, message: 'is no column' });
    const values = [...table.columns].map(([name, column]) => {
      const problem = column.fault(row[name]);
      if (problem !== undefined) issues.push({ path: `rows[${i}].row.${name}`, message: problem });
      return problem === undefined ? column.encode(row[name] as string | number) : '';
    });
    return JSON.stringify([...values, streamVersion]);
  });
  refuse(doing, issues, 'Nothing was written; mend the rows.');
  return lines;
}

/** Selected columns of a row, in the order of the model. */
const selection = (table: ReadModelTable): string =>
  [...table.columns].map(([name, column]) => column.select(identifier(name))).join(', ');

const keyList = (table: ReadModelTable): string => table.key.map(identifier).join(', ');

/** Conditions with the values bound to placeholders. */
class Conditions {
  readonly params: Record<string, string | number | readonly (string | number)[]> = {};
  readonly #parts: string[] = [];
  readonly #table: ReadModelTable;
  readonly #doing: string;

  constructor(doing: string, table: ReadModelTable) {
    this.#doing = doing;
    this.#table = table;
  }

  /** SQL of a list of values of a column. */
  list(path: string, name: string, values: readonly unknown[]): string {
    const column = this.#table.columns.get(name);
    if (column === undefined)
      throw invalid(this.#doing, [{ path: `${path}.${name}`, message: 'is no column' }], 'Name a column of the model.');
    const issues = values.flatMap((value) => {
      const message = column.fault(value);
      return message === undefined ? [] : [{ path: `${path}.${name}`, message }];
    });
    refuse(this.#doing, issues, 'Pass values as the column takes them.');
    const param = `p${Object.keys(this.params).length}`;
    this.params[param] = values.map((value) => column.encode(value as string | number));
    return column.list(param);
  }

  where(where: AnyRow = {}): this {
    for (const [name, value] of Object.entries(where)) {
      if (value === undefined) continue;
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (values.length > maxValues)
        throw invalid(
          this.#doing,
          [{ path: `where.${name}`, message: `has ${values.length} values, the limit is ${maxValues}` }],
          'Ask in pieces.',
        );
      const list = this.list('where', name, values);
      this.#parts.push(`${identifier(name)} IN ${list}`);
    }
    return this;
  }

  /** Rows of these keys. */
  keys(keys: readonly AnyRow[]): this {
    const lists = this.#table.key.map((name) =>
      this.list(
        'keys',
        name,
        keys.map((key) => key[name]),
      ),
    );
    const [only = ''] = lists;
    this.#parts.push(
      lists.length === 1
        ? `${keyList(this.#table)} IN ${only}`
        : `(${keyList(this.#table)}) IN arrayZip(${lists.join(', ')})`,
    );
    return this;
  }

  /** Rows behind a key. */
  after(key: AnyRow | undefined): this {
    if (key === undefined) return this;
    const values = this.#table.key.map((name) => `${this.list('after', name, [key[name]])}[1]`);
    this.#parts.push(`(${keyList(this.#table)}) > (${values.join(', ')})`);
    return this;
  }

  get sql(): string {
    return this.#parts.length === 0 ? '' : ` WHERE ${this.#parts.join(' AND ')}`;
  }
}

/** Rows by key, with their version as the last column. */
export function getQueries(doing: string, from: string, table: ReadModelTable, keys: readonly AnyRow[]): Query[] {
  const queries: Query[] = [];
  for (const some of pieces(keys)) {
    const conditions = new Conditions(doing, table).keys(some);
    queries.push({
      query: `SELECT ${selection(table)}, ${identifier(versionColumn)} FROM ${from} FINAL${conditions.sql}`,
      params: conditions.params,
    });
  }
  return queries;
}

/** Rows by filter, ordered by key. */
export function findQuery(
  doing: string,
  from: string,
  table: ReadModelTable,
  {
    where,
    after,
    limit,
  }: { readonly where: AnyRow | undefined; readonly after: AnyRow | undefined; readonly limit: number },
): Query {
  const conditions = new Conditions(doing, table).where(where).after(after);
  return {
    query: `SELECT ${selection(table)} FROM ${from} FINAL${conditions.sql} ORDER BY ${keyList(table)} LIMIT ${whole(limit)}`,
    params: conditions.params,
  };
}

/** Groups, sums, and the row count as the last column. Sums have 76 digits, so that they cannot overflow. */
export function totalsQuery(
  doing: string,
  from: string,
  table: ReadModelTable,
  {
    by,
    sum,
    where,
  }: { readonly by: readonly string[]; readonly sum: readonly string[]; readonly where: AnyRow | undefined },
): Query {
  const issues: Issue[] = [...by, ...sum]
    .filter((name) => !table.columns.has(name))
    .map((name) => ({ path: name, message: 'is no column' }));
  for (const name of sum)
    if (table.columns.has(name) && !/^(Int|Decimal)/.test(table.types.get(name) ?? ''))
      issues.push({ path: `sum.${name}`, message: 'is no decimal or integer column' });
  for (const name of by) if (sum.includes(name)) issues.push({ path: name, message: 'is in by and in sum' });
  if ([...by, ...sum].includes('count')) issues.push({ path: 'count', message: 'is the name of the row count' });
  refuse(doing, issues, 'Sum decimal and integer columns, by others.');
  const conditions = new Conditions(doing, table).where(where);
  const groups = by.map(identifier);
  const shown = by.map((name) => table.columns.get(name)?.select(identifier(name)) ?? '');
  const sums = sum.map((name) => `toString(sum(${exact(table, name)}))`);
  const grouped = groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')} ORDER BY ${groups.join(', ')}`;
  return {
    query: `SELECT ${[...shown, ...sums, 'count()'].join(', ')} FROM ${from} FINAL${conditions.sql}${grouped}`,
    params: conditions.params,
  };
}

const exact = (table: ReadModelTable, name: string): string =>
  table.types.get(name)?.startsWith('Decimal') === true
    ? `toDecimal256(${identifier(name)}, 10)`
    : `toInt256(${identifier(name)})`;
