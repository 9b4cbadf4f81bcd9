import type { ReadModel } from '@bento-bus/core';
import { formatDecimal, parseDecimal } from './decimal.ts';

/** A row's key as one string, equal for equal keys however their decimals are written. */
export function rowKey(model: ReadModel, row: object): string {
  const values = row as Readonly<Record<string, unknown>>;
  return JSON.stringify(
    model.key.map((column) => {
      const value = values[column];
      if (model.columns[column] !== 'decimal' || typeof value !== 'string') return value;
      return formatDecimal(parseDecimal(value) ?? 0n);
    }),
  );
}
