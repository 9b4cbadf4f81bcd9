import { h } from '../dom.js';

/**
 * A table that becomes a list of cards on a narrow screen. The roles stand in it because browsers drop them from tables
 * that are laid out otherwise. `columns`: `{ label, number?, wide?, bare? }`; `bare`: its name stands for screen readers only.
 */
export function dataTable({ caption, columns, className = '' }) {
  const body = h('tbody', { role: 'rowgroup' });
  const head = columns.map(({ label, number, bare }) =>
    h('th', { scope: 'col', role: 'columnheader', class: number ? 'number' : undefined }, bare ? unseen(label) : label),
  );
  const table = h(
    'table',
    { class: `data ${className}`, role: 'table' },
    h('caption', { class: 'unseen' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
    body,
  );
  return { table, body };
}

/** The cells of a row, in the order of the columns. */
export function dataRow(columns, contents, props = {}) {
  const cells = columns.map(({ label, number, bare, name, wide }, i) =>
    h(
      'td',
      {
        role: 'cell',
        class: [number && 'number', wide && 'wide', name && `cell-${name}`].filter(Boolean).join(' ') || undefined,
        data: bare ? {} : { label },
      },
      contents[i],
    ),
  );
  return h('tr', { role: 'row', ...props }, cells);
}

export const unseen = (text) => h('span', { class: 'unseen' }, text);
