import type { ColumnType } from '@bento-bus/core';
import { dateFault, timeFault, toTime } from './time.ts';
import { isWellFormed } from './well-formed.ts';

/** How a column type of read models looks in ClickHouse. */
export interface Column {
  /** Type in the table. */
  readonly type: string;
  /** What is wrong with a value, or undefined. */
  readonly fault: (value: unknown) => string | undefined;
  /** A checked value as an insert or a bound parameter takes it. */
  readonly encode: (value: string | number) => string | number;
  /** SELECT expression, and what it gives as the port's value. */
  readonly select: (column: string) => string;
  readonly decode: (value: string | number) => string | number;
  /** SQL of a bound list `{name:…}` of encoded values. */
  readonly list: (param: string) => string;
}

const scale = 10;
const precision = 38;
const decimalShape = /^(-?)0*(\d*?)(?:\.(\d*?)0*)?$/;

/** The shortest text of a decimal of 38 digits, 10 of them after the point; undefined when it does not fit exactly. */
export function canonicalDecimal(value: string): string | undefined {
  const [, sign = '', whole = '', fraction = ''] = decimalShape.exec(value) ?? [];
  const isDecimal = /^-?\d+(\.\d+)?$/.test(value);
  if (!isDecimal || fraction.length > scale || whole.length > precision - scale) return undefined;
  const text = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
  return text === '0' ? '0' : `${sign}${text}`;
}

const same = <T>(value: T): T => value;
const array = (type: string) => (param: string) => `{${param}:Array(${type})}`;

const string: Column = {
  type: 'String',
  fault: (value) => (typeof value === 'string' && isWellFormed(value) ? undefined : 'is not a well-formed string'),
  encode: same,
  select: same,
  decode: String,
  list: array('String'),
};

const integer: Column = {
  type: 'Int64',
  fault: (value) => (Number.isSafeInteger(value) ? undefined : 'is not a safe integer'),
  encode: same,
  select: same,
  decode: Number,
  list: array('Int64'),
};

const decimal: Column = {
  type: `Decimal(${precision}, ${scale})`,
  fault: (value) =>
    typeof value === 'string' && canonicalDecimal(value) !== undefined
      ? undefined
      : 'is not a decimal string of at most 28 digits before and 10 after the point',
  encode: (value) => canonicalDecimal(String(value)) ?? '0',
  select: (column) => `toString(${column})`,
  decode: String,
  // The server does not read quoted decimals in an array.
  list: (param) => `arrayMap(x -> toDecimal128(x, ${scale}), ${array('String')(param)})`,
};

const time: Column = {
  type: "DateTime64(3, 'UTC')",
  fault: timeFault,
  encode: (value) => toTime(Number(value)),
  select: (column) => `toUnixTimestamp64Milli(${column})`,
  decode: Number,
  list: array("DateTime64(3, 'UTC')"),
};

const date: Column = {
  type: 'Date32',
  fault: dateFault,
  encode: same,
  select: (column) => `toString(${column})`,
  decode: String,
  list: array('Date32'),
};

/** Column types by the port's name. */
export const columns: Readonly<Record<ColumnType, Column>> = { string, integer, decimal, time, date };
