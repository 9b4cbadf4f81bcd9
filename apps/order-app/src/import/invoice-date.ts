const pattern = /^(\d{1,2})\/(\d{1,2})\/(\d{2}) (\d{1,2}):(\d{2})$/;

/** `M/D/YY H:MM`, a year 20YY, as UTC: epoch milliseconds. Undefined when it is no real date and time. */
export function parseInvoiceDate(text: string): number | undefined {
  const parts = pattern.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = parts;
  const time = Date.UTC(2000 + year, month - 1, day, hour, minute);
  const date = new Date(time);
  // Date.UTC carries over what is too large: February 30 becomes March 2.
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60;
  return real ? time : undefined;
}
