/** @import { Bar, Drawing } from "./chart-drawings.js" */
import { h, replace, s, setText } from '../dom.js';
import { count, counted, money } from '../format.js';
import { drawColumns, drawRows } from './chart-drawings.js';
import { dataRow, dataTable } from './table.js';

/** @type {Record<string, number>} */
const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
let charts = 0;

/**
 * A bar chart: drawn to the pixel, read by pointer or arrow keys, and given as a table as well.
 * @param {{ title: string, keyName: string, layout: 'columns' | 'rows' }} chart
 */
export function barChart({ title, keyName, layout }) {
  charts += 1;
  const ids = [`chart-${charts}-title`, `chart-${charts}-desc`];
  const name = s('title', { id: ids[0] }, title);
  const about = s('desc', { id: ids[1] });
  const picture = s('svg', { role: 'img', 'aria-labelledby': ids.join(' '), class: `chart chart-${layout}` });
  const tip = h('div', { class: 'tip', hidden: true });
  const spoken = h('p', { class: 'unseen', 'aria-live': 'polite' });
  const stage = h(
    'div',
    {
      class: 'stage',
      tabindex: '0',
      role: 'group',
      'aria-label': `${title}: read bar by bar with the arrow keys`,
      on: {
        keydown: (event) => byKey(event),
        blur: () => choose(undefined),
        pointermove: (event) => choose(nearest(event)),
        pointerleave: () => choose(undefined),
      },
    },
    picture,
    tip,
  );
  const tablePlace = h(
    'details',
    { class: 'as-table', on: { toggle: () => fillTable() } },
    h('summary', {}, `${title} as a table`),
  );

  /** @type {Bar[]} */
  let items = [];
  /** @type {Drawing | undefined} */
  let drawn;
  /** @type {number | undefined} */
  let active;

  function draw() {
    const width = Math.floor(stage.clientWidth);
    if (width === 0) return;
    drawn = (layout === 'columns' ? drawColumns : drawRows)(items, width);
    picture.setAttribute('viewBox', `0 0 ${width} ${drawn.height}`);
    picture.setAttribute('height', String(drawn.height));
    replace(picture, name, about, drawn.content);
    choose(active !== undefined && active < items.length ? active : undefined);
  }

  /** @param {PointerEvent} event */
  function nearest({ clientX, clientY }) {
    const box = picture.getBoundingClientRect();
    return drawn?.at(clientX - box.left, clientY - box.top);
  }

  /** @param {KeyboardEvent} event */
  function byKey(event) {
    const last = items.length - 1;
    if (last < 0) return;
    const step = steps[event.key];
    let to;
    if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = last;
    else if (event.key === 'Escape') to = undefined;
    else if (step !== undefined) to = active === undefined ? (step > 0 ? 0 : last) : active + step;
    else return;
    event.preventDefault();
    choose(to === undefined ? undefined : Math.min(last, Math.max(0, to)));
    const item = active === undefined ? undefined : items[active];
    setText(spoken, item === undefined ? '' : textOf(item));
  }

  /** @param {number | undefined} i */
  function choose(i) {
    for (const [at, bar] of (drawn?.bars ?? []).entries()) bar.classList.toggle('active', at === i);
    active = i;
    const item = i === undefined ? undefined : items[i];
    tip.hidden = item === undefined;
    if (i === undefined || item === undefined || drawn === undefined) return;
    const { label, value, orders } = item;
    replace(
      tip,
      h('strong', {}, label),
      h('span', {}, money(value)),
      h('span', { class: 'quiet' }, counted(orders, 'order')),
    );
    const { x, y } = drawn.tipAt(item, i);
    tip.style.left = `${Math.min(Math.max(x, tip.offsetWidth / 2), stage.clientWidth - tip.offsetWidth / 2)}px`;
    tip.style.top = `${y}px`;
  }

  function fillTable() {
    tablePlace.querySelector('table')?.remove();
    if (!tablePlace.open) return;
    const columns = [{ label: keyName }, { label: 'Orders', number: true }, { label: 'Revenue', number: true }];
    const { table, body } = dataTable({ caption: title, columns });
    body.append(...items.map(({ label, orders, value }) => dataRow(columns, [label, count(orders), money(value)])));
    tablePlace.append(table);
  }

  const watch = new ResizeObserver(draw);
  watch.observe(stage);
  return {
    element: h('figure', { class: 'figure' }, stage, spoken, tablePlace),
    /** `description`: what the picture shows, in one sentence. @param {Bar[]} next @param {string} description */
    show(next, description) {
      items = next;
      about.textContent = description;
      draw();
      fillTable();
    },
    close: () => watch.disconnect(),
  };
}

/** @param {Bar} bar */
const textOf = ({ label, value, orders }) => `${label}: ${money(value)}, ${counted(orders, 'order')}`;
