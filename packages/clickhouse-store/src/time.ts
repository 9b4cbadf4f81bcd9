// DateTime64 holds 1900-01-01 to 2299-12-31: https://clickhouse.com/docs/sql-reference/data-types/datetime64
const first = Date.UTC(1900, 0, 1);
const last = Date.UTC(2299, 11, 31, 23, 59, 59, 999);

/** What is wrong with a time in epoch milliseconds, or undefined. */
export const timeFault = (value: unknown): string | undefined => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return 'is not a whole number of epoch milliseconds';
  return value < first || value > last ? 'is not between the years 1900 and 2299' : undefined;
};

/** `YYYY-MM-DD HH:MM:SS.mmm`, UTC: read the same under every time zone of the process, since the columns name UTC. */
export const toTime = (epochMs: number): string => new Date(epochMs).toISOString().slice(0, 23).replace('T', ' ');

/** What is wrong with a date, or undefined. */
export const dateFault = (value: unknown): string | undefined => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return 'is not a date YYYY-MM-DD';
  const at = Date.parse(`${value}T00:00:00Z`);
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== value) return 'is not a day of the calendar';
  return at < first || at > last ? 'is not between the years 1900 and 2299' : undefined;
};
