/** A column of a table; numbers stand right. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A cell; `paint` puts colour around it, once its width is known. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** Control characters of messages and imported text must not reach the terminal as such: each becomes a space. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
export const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

/** A cell without its colour. */
const plain = (cell: Cell | undefined): string => printable(typeof cell === 'object' ? cell.text : (cell ?? ''));

/** In a loop: a function does not take any number of arguments. */
function widest<Row>(least: number, rows: readonly Row[], textOf: (row: Row) => string): number {
  let width = least;
  for (const row of rows) width = Math.max(width, textOf(row).length);
  return width;
}

/** Plain text columns under their titles, each cell {@link printable}; no line ends in spaces. Takes any number of rows. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const widths = columns.map(({ title }, i) => widest(title.length, rows, (row) => plain(row[i])));
  const last = columns.length - 1;
  const format = (row: readonly Cell[]): string =>
    columns
      .map(({ align }, i) => {
        const cell = row[i];
        const text = plain(cell);
        const padding = ' '.repeat((widths[i] ?? 0) - text.length);
        const shown = typeof cell === 'object' && text !== '' ? cell.paint(text) : text;
        if (align === 'right') return `${padding}${shown}`;
        return i === last ? shown : `${shown}${padding}`;
      })
      .join('  ')
      .trimEnd();
  return [columns.map(({ title }) => title), ...rows].map((row) => `${format(row)}\n`).join('');
}

/** Names and their values, without a heading. */
export function facts(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = widest(0, rows, ([name]) => name);
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`.trimEnd().concat('\n')).join('');
}
