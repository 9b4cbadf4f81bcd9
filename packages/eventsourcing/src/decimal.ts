/** Digits after the point of a `decimal` column, and digits in all (core's `ColumnType`). */
const scale = 10;
const precision = 38;
const shape = /^(-?)(\d+)(?:\.(\d+))?$/;

/** A decimal as a whole number of 10^-10; undefined when the text is none, or does not fit a `decimal` column exactly. */
export function parseDecimal(text: string): bigint | undefined {
  const match = shape.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const kept = fraction.replace(/0+$/, '');
  const digits = (whole + kept.padEnd(scale, '0')).replace(/^0+/, '');
  if (kept.length > scale || digits.length > precision) return undefined;
  return BigInt(`${sign}${digits || '0'}`);
}

/** The shortest text of a whole number of 10^-10: no zeros at the end, no `-0`. */
export function formatDecimal(units: bigint): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}${fraction && `.${fraction}`}`;
}
