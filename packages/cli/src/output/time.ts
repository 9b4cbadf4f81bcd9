/** To the second, UTC; empty where it is unknown. */
export const printTime = (time: number | undefined): string =>
  time === undefined || !isDate(time) ? '' : new Date(time).toISOString().slice(0, 19).replace('T', ' ');

/** For JSON; undefined where it is no time. */
export const isoTime = (time: number | undefined): string | undefined =>
  time === undefined || !isDate(time) ? undefined : new Date(time).toISOString();

const isDate = (time: number): boolean => Math.abs(time) <= 8.64e15;
