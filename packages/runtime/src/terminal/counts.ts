const grouped = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** `12,345`, whatever the user's locale. */
export const printCount = (count: number): string => grouped.format(count);

/** `1 message`, `2 messages`. */
export const counted = (count: number, one: string, many: string = `${one}s`): string =>
  `${printCount(count)} ${count === 1 ? one : many}`;
