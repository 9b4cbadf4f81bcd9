import { configurationError, type ReadModel } from '@bento-bus/core';
import { type Column, columns } from './columns.ts';
import { identifier, isName, whole } from './sql.ts';
import { engine, mark } from './tables.ts';

/** Column of the version of the stream prefix that a row is a function of. */
export const versionColumn = 'stream_version';

/** A checked model as SQL needs it. */
export interface ReadModelTable {
  readonly name: string;
  readonly columns: ReadonlyMap<string, Column>;
  readonly key: readonly string[];
  /** Names and types of all columns of the table. */
  readonly types: ReadonlyMap<string, string>;
}

const known = new WeakMap<ReadModel, ReadModelTable>();

/** The table of a model. Throws one `CONFIGURATION` error that names every fault of the definition. */
export function tableOf(model: ReadModel): ReadModelTable {
  const found = known.get(model);
  if (found !== undefined) return found;
  const faults = faultsOf(model);
  if (faults.length > 0)
    throw configurationError(`clickhouse-store: cannot use the read model "${model.name}"`, faults);
  const list = Object.entries(model.columns);
  const table: ReadModelTable = {
    name: `${model.name}_v${model.version}`,
    columns: new Map(list.map(([name, type]) => [name, columns[type]])),
    key: model.key,
    types: new Map([
      ...list.map(([name, type]): [string, string] => [name, columns[type].type]),
      [versionColumn, 'UInt64'],
    ]),
  };
  known.set(model, table);
  return table;
}

function faultsOf({ name, version, key, columns: given }: ReadModel): string[] {
  const faults: string[] = [];
  if (!isName(name)) faults.push('its name must be letters, digits and _, not starting with a digit');
  if (!Number.isSafeInteger(version) || version < 1) faults.push('its version must be a whole number from 1');
  for (const [column, type] of Object.entries(given)) {
    if (!isName(column)) faults.push(`column "${column}" must be letters, digits and _, not starting with a digit`);
    if (column === versionColumn) faults.push(`column "${column}" is reserved`);
    if (!Object.hasOwn(columns, type))
      faults.push(`column "${column}" has the type "${type}", known are ${Object.keys(columns).join(', ')}`);
  }
  if (key.length === 0) faults.push('its key must name a column');
  if (new Set(key).size < key.length) faults.push('its key names a column twice');
  for (const column of key)
    if (!Object.hasOwn(given, column)) faults.push(`its key names "${column}", which is no column`);
  return faults;
}

/** DDL: of rows with equal keys the highest stream version wins, at the latest when a query reads with FINAL. */
export const readModelDdl = (table: string, { key, types }: ReadModelTable, replicated: boolean): string => {
  const list = [...types].map(([name, type]) => `${identifier(name)} ${type} CODEC(ZSTD(1))`).join(', ');
  return `CREATE TABLE IF NOT EXISTS ${table} (${list})
    ENGINE = ${engine(`ReplacingMergeTree(${identifier(versionColumn)})`, replicated)} ORDER BY (${key.map(identifier).join(', ')})
    SETTINGS index_granularity = ${whole(1_024)} COMMENT '${mark}: read model'`;
};

/** What is wrong with a table that exists, or undefined. */
export function mismatch(
  { key, types }: ReadModelTable,
  found: { readonly comment: string; readonly sortingKey: string; readonly types: ReadonlyMap<string, string> },
): string | undefined {
  if (!found.comment.startsWith(mark)) return 'there is a table of this name that Bento Bus did not make';
  const wrong = [...types].filter(([name, type]) => found.types.get(name) !== type).map(([name]) => name);
  const strange = [...found.types.keys()].filter((name) => !types.has(name));
  const names = [...new Set([...wrong, ...strange])];
  if (names.length > 0) return `the table has other columns (${names.join(', ')})`;
  const plain = found.sortingKey.replaceAll(/[`()]/g, '');
  return plain === key.join(', ') ? undefined : `the table has another key (${plain})`;
}
