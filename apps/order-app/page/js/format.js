/**
 * Money travels as a decimal in a string: it is grouped as text, and never goes through a floating point number.
 * @param {string} text
 */
export const money = (text) => text.replace(/\B(?=(\d{3})+(?=\.))/g, ',');

/** `'12.34'` as 1234n. @param {string} text */
export const centsOf = (text) => BigInt(text.replace('.', ''));

/** 1234n as `'12.34'`. @param {bigint} cents */
export function textOfCents(cents) {
  const sign = cents < 0n ? '-' : '';
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * Sum of quantity times price, both as typed; undefined where one is no number yet. Exact, rounded half up at the end.
 * @param {{ quantity: string, unitPrice: string }[]} lines
 */
export function totalOf(lines) {
  let total = 0n;
  for (const { quantity, unitPrice } of lines) {
    const price = /^(\d{1,9})(?:\.(\d{1,10}))?$/.exec(unitPrice);
    if (price === null || !/^\d{1,9}$/.test(quantity)) return undefined;
    const [, whole = '', decimals = ''] = price;
    total += BigInt(quantity) * BigInt(whole + decimals.padEnd(10, '0'));
  }
  return textOfCents((total + 50_000_000n) / 100_000_000n);
}

const counts = new Intl.NumberFormat('en');
/** @param {number} value */
export const count = (value) => counts.format(value);
const shortNumbers = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
/** @param {number} value */
export const shortNumber = (value) => shortNumbers.format(value);

/** `1 order`, `2 orders`. @param {number} value @param {string} one @param {string} many */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** @param {Intl.DateTimeFormatOptions} options */
const utc = (options) => new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...options });
const dates = utc({ day: 'numeric', month: 'short', year: 'numeric' });
const minutes = utc({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const seconds = utc({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

/** @param {string} iso */
export const date = (iso) => dates.format(new Date(iso));
/** @param {string} iso */
export const dateAndTime = (iso) => `${date(iso)}, ${minutes.format(new Date(iso))}`;
/** @param {string} iso */
export const clock = (iso) => seconds.format(new Date(iso));
/** `07:22:59.013`: steps of one message lie close together. @param {string} iso */
export const exactClock = (iso) => `${clock(iso)}.${String(new Date(iso).getUTCMilliseconds()).padStart(3, '0')}`;

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
