/** @import { Revenue, Statistics } from "../types.ts" */
import { ask, unlessAborted } from '../api.js';
import { h, replace, setText } from '../dom.js';
import { centsOf, count, counted, date, money, textOfCents } from '../format.js';
import { live, throttled } from '../live.js';
import { barChart } from '../parts/chart.js';
import { alertPlace, emptyState, loading } from '../parts/notice.js';

/** Countries drawn one by one; the others are one bar. */
const mostCountries = 12;
/** Days drawn at most: two years. */
const mostDays = 731;
/** How often the charts follow what happens. Milliseconds. */
const followMs = 3_000;

const shortDate = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});

/** What the shop earns, by day and by country. */
export function revenueView() {
  const gone = new AbortController();
  const { signal } = gone;
  const alert = alertPlace();
  const tiles = {
    revenue: tile('Revenue'),
    orders: tile('Orders'),
    lines: tile('Order lines'),
    creditNotes: tile('Credit notes'),
  };
  const byDay = barChart({ title: 'Revenue by day', keyName: 'Day', layout: 'columns' });
  const byCountry = barChart({ title: 'Revenue by country', keyName: 'Country', layout: 'rows' });
  const span = h(
    'select',
    { id: 'span', on: { change: () => draw() } },
    h('option', { value: '30' }, '30 latest days with orders'),
    h('option', { value: '90' }, '90 latest days with orders'),
    h('option', { value: String(mostDays) }, 'All days with orders'),
  );
  const figures = [
    h(
      'div',
      { class: 'tiles' },
      Object.values(tiles).map(({ element }) => element),
    ),
    h(
      'section',
      { class: 'panel' },
      h(
        'div',
        { class: 'panel-head' },
        h('h2', {}, 'By day'),
        h('div', { class: 'field inline' }, h('label', { for: 'span' }, 'Show'), span),
      ),
      byDay.element,
    ),
    h('section', { class: 'panel' }, h('h2', {}, 'By country'), byCountry.element),
  ];
  const content = h('div', { class: 'stack' }, loading('figures'));
  /** @type {Statistics | undefined} */
  let statistics;

  async function load() {
    try {
      statistics = await ask('/api/statistics', { signal });
      alert.clear();
      draw();
    } catch (cause) {
      unlessAborted(({ message }) => {
        if (statistics === undefined) replace(content);
        alert.show(message, () => void load());
      })(cause);
    }
  }

  function draw() {
    if (statistics === undefined) return;
    // Also where there are orders: what is cancelled or refunded brings none.
    if (statistics.byDay.length === 0) {
      replace(
        content,
        emptyState(
          'No revenue yet',
          statistics.orders === 0
            ? h(
                'p',
                {},
                'It is drawn as soon as there is an order. ',
                h('a', { href: '#/new' }, 'Place the first one'),
                '.',
              )
            : h('p', {}, 'All orders are cancelled or refunded.'),
        ),
      );
      return;
    }
    if (!content.contains(byDay.element)) replace(content, figures);
    setText(tiles.revenue.value, money(statistics.revenue));
    for (const name of /** @type {const} */ (['orders', 'lines', 'creditNotes']))
      setText(tiles[name].value, count(statistics[name]));
    drawDays(statistics.byDay.toSorted((a, b) => (a.key < b.key ? -1 : 1)).slice(-Number(span.value)));
    drawCountries(statistics.byCountry);
  }

  /** @param {Revenue[]} days */
  function drawDays(days) {
    const [first] = days;
    const last = days.at(-1);
    if (first === undefined || last === undefined) return;
    const best = highest(days);
    byDay.show(
      days.map(({ key, orders, revenue }) => ({
        key,
        label: date(key),
        short: shortDate.format(new Date(key)),
        value: revenue,
        orders,
      })),
      `${counted(days.length, 'day')} from ${date(first.key)} to ${date(last.key)}. The best was ${date(best.key)} with ${money(best.revenue)}.`,
    );
  }

  /** @param {Revenue[]} all */
  function drawCountries(all) {
    const sorted = all.toSorted(byRevenue);
    const [best] = sorted;
    if (best === undefined) return;
    const single = sorted.length === mostCountries + 1 ? sorted : sorted.slice(0, mostCountries);
    const others = sorted.slice(single.length);
    const items = single.map(({ key, orders, revenue }) => ({ key, label: key, value: revenue, orders }));
    if (others.length > 0)
      items.push({
        key: '',
        label: `${others.length} others`,
        value: textOfCents(others.reduce((sum, { revenue }) => sum + centsOf(revenue), 0n)),
        orders: others.reduce((sum, { orders }) => sum + orders, 0),
      });
    byCountry.show(
      items,
      `${counted(all.length, 'country', 'countries')}. The first is ${best.key} with ${money(best.revenue)}.`,
    );
  }

  const follow = throttled(() => void load(), followMs, signal);
  live.on('order', follow, signal);
  live.on('again', follow, signal);
  void load();
  return {
    title: 'Revenue',
    element: h(
      'div',
      { class: 'view' },
      h('div', { class: 'view-head' }, h('h1', { tabindex: '-1' }, 'Revenue')),
      alert.element,
      content,
    ),
    close() {
      gone.abort();
      byDay.close();
      byCountry.close();
    },
  };
}

/** @param {Revenue} a @param {Revenue} b */
const byRevenue = (a, b) => {
  const difference = centsOf(b.revenue) - centsOf(a.revenue);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
};
/** @param {Revenue[]} groups */
const highest = (groups) => groups.reduce((best, group) => (byRevenue(best, group) > 0 ? group : best));

/** @param {string} name */
function tile(name) {
  const value = h('dd', {}, '–');
  return { value, element: h('dl', { class: 'tile' }, h('dt', {}, name), value) };
}
