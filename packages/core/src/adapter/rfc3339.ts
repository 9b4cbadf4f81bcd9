/** Years 0000 to 9999: what RFC 3339 can say. */
const [least, most] = [-62_167_219_200_000, 253_402_300_799_999];

const pattern =
  /^(\d{4})-(0[1-9]|1[0-2])-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const milliseconds = /^\d{3}$/;

// Messages come in bursts: up to the seconds, a time is nearly always that of the message before.
let writtenSecond = Number.NaN;
let writtenPrefix = '';
let readSecond = Number.NaN;
let readPrefix = 'none';

/** Epoch milliseconds as RFC 3339 in UTC, cut to the millisecond; undefined when that cannot be said. */
export function formatTime(time: number): string | undefined {
  // Refuses NaN too.
  if (!(time >= least && time <= most)) return undefined;
  const second = Math.floor(time / 1_000);
  if (second !== writtenSecond) {
    writtenPrefix = new Date(second * 1_000).toISOString().slice(0, 20);
    writtenSecond = second;
  }
  const rest = Math.floor(time - second * 1_000);
  return `${writtenPrefix}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
}

/** Epoch milliseconds of an RFC 3339 time (https://www.rfc-editor.org/rfc/rfc3339#section-5.6), cut to the millisecond; undefined for any other text. */
export function parseTime(text: string): number | undefined {
  const plain = text.length === 24 && text.endsWith('Z');
  if (plain && text.startsWith(readPrefix)) {
    const rest = text.slice(20, 23);
    return milliseconds.test(rest) ? readSecond * 1_000 + Number(rest) : undefined;
  }
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day] = match.map(Number) as [number, number, number, number];
  // Date.parse takes the 30th of February for the 1st of March.
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) return undefined;
  // A leap second is the second after the one before it.
  const leap = match[6] === '60';
  const time = Date.parse((leap ? text.replace(/:60/, ':59') : text).toUpperCase()) + (leap ? 1_000 : 0);
  if (plain && !leap) {
    readSecond = Math.floor(time / 1_000);
    readPrefix = text.slice(0, 20);
  }
  return time;
}
