/** @import { Child, Props } from "../dom.js" */
import { h } from '../dom.js';

/**
 * `bare`: its label stands for screen readers only; `name`: a class of its cells.
 * @typedef {{ label: string, name?: string, number?: boolean, wide?: boolean, bare?: boolean }} Column
 */

/**
 * A table that becomes a list of cards on a narrow screen. The roles stand in it because browsers drop them from tables
 * that are laid out otherwise.
 * @param {{ caption: string, columns: Column[], className?: string }} table
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

/**
 * The cells of a row, in the order of the columns.
 * @param {Column[]} columns
 * @param {Child[]} contents
 * @param {Props} props
 */
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

/** @param {string} text */
export const unseen = (text) => h('span', { class: 'unseen' }, text);
