import { Big } from 'big.js';

/** An exact decimal in plain notation without superfluous zeros, such as `'2.1'`. */
export type Decimal = string;

/** The one spelling of a decimal: `'02.50'` is `'2.5'`. Exact. */
export const canonicalDecimal = (value: string): Decimal => new Big(value).toFixed();

/** What a line costs. Exact. */
export const amountOf = (line: { readonly quantity: number; readonly unitPrice: Decimal }): Decimal =>
  new Big(line.unitPrice).times(line.quantity).toFixed();

/** Exact sum; `'0'` of nothing. */
export const sum = (values: Iterable<Decimal>): Decimal => {
  let total = new Big(0);
  for (const value of values) total = total.plus(value);
  return total.toFixed();
};

/** For print only: two decimals, rounded half up (away from zero). */
export const printMoney = (value: Decimal): string => new Big(value).toFixed(2, Big.roundHalfUp);
