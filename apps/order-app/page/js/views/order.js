/** @import { Child } from "../dom.js" */
/** @import { Action } from "../parts/order-actions.js" */
/** @import { Column } from "../parts/table.js" */
/** @import { OrderDetails } from "../types.ts" */
import { announce } from '../announcer.js';
import { ask, orderPath, unlessAborted } from '../api.js';
import { h, replace } from '../dom.js';
import { count, counted, dateAndTime, money } from '../format.js';
import { live, throttled } from '../live.js';
import { alertPlace, loading, statusChip } from '../parts/notice.js';
import { actionsOf, isDanger, labelOf, perform, sentenceOf } from '../parts/order-actions.js';
import { dataRow, dataTable } from '../parts/table.js';
import { timeline } from './timeline.js';
import { traceSteps } from './trace.js';

/** How often one order follows what happens. Milliseconds. */
const followMs = 400;
/** Notifications and retries come after the event is seen here. Milliseconds. */
const afterwardsMs = 2_000;

/** @type {Column[]} */
const lineColumns = [
  { label: 'Article' },
  { label: 'Description', wide: true },
  { label: 'Quantity', number: true },
  { label: 'Unit price', number: true },
  { label: 'Amount', number: true },
];

/** One order: its lines, what can be done, what has happened, and what became of its messages. @param {string} orderId */
export function orderView(orderId) {
  const gone = new AbortController();
  const { signal } = gone;
  const chip = h('span');
  const buttons = h('div', { class: 'actions' });
  // What could not be done stays to be read when the order is loaded again.
  const [alert, refusal] = [alertPlace(), alertPlace()];
  const said = h('p', { class: 'said', role: 'status', tabindex: '-1' });
  const content = h('div', { class: 'stack' }, loading('the order'));
  const events = timeline();
  const trace = traceSteps();
  /** @type {OrderDetails | undefined} */
  let shown;
  let wasPaid = false;
  /** Counts what is asked: of answers that come in another order, only that to the last question is shown. */
  let asked = 0;

  async function load() {
    asked += 1;
    const mine = asked;
    try {
      const [order, history] = await Promise.all([
        ask(orderPath(orderId), { signal }),
        ask(`${orderPath(orderId)}/events`, { signal }),
        loadTrace(),
      ]);
      if (mine !== asked) return;
      alert.clear();
      wasPaid = history.events.some(({ type }) => type === 'order.paid');
      events.show(history.events);
      show(order);
    } catch (cause) {
      unlessAborted(({ status, message }) => {
        if (shown === undefined) replace(content);
        if (status === 404) alert.show(`There is no order “${orderId}”. Look whether its number is spelled right.`);
        else alert.show(message, () => void load());
      })(cause);
    }
  }

  async function loadTrace() {
    try {
      trace.show((await ask(`${orderPath(orderId)}/trace`, { signal })).steps);
    } catch (cause) {
      unlessAborted(({ message }) => trace.fail(message))(cause);
    }
  }

  /** @param {OrderDetails} order */
  function show(order) {
    const before = shown;
    shown = order;
    if (before === undefined || before.status !== order.status) {
      replace(chip, statusChip(order.status));
      showButtons(order);
    }
    if (before === undefined)
      replace(content, facts(order), lineTable(order), h('div', { class: 'halves' }, events.element, trace.element));
    else if (before.tracking !== order.tracking) content.firstElementChild?.replaceWith(facts(order));
  }

  /** @param {OrderDetails} order */
  function showButtons(order) {
    const names = actionsOf(order.status, wasPaid);
    replace(
      buttons,
      names.map((name, i) =>
        h(
          'button',
          {
            type: 'button',
            class: isDanger(name) ? 'quiet-danger' : i === 0 ? 'primary' : undefined,
            on: { click: () => void act(name) },
          },
          labelOf(name),
        ),
      ),
    );
  }

  let busy = false;
  /** @param {Action} name */
  async function act(name) {
    if (busy || shown === undefined) return;
    busy = true;
    buttons.setAttribute('aria-busy', 'true');
    try {
      const order = await perform(name, shown);
      if (order === undefined) return;
      refusal.clear();
      wasPaid ||= name === 'pay';
      asked += 1;
      show(order);
      said.textContent = sentenceOf(name);
      // The button that was pressed is gone.
      said.focus();
      void load();
      later();
    } catch (cause) {
      unlessAborted(({ message }) => refusal.show(message))(cause);
      // It may not be as it was shown.
      void load();
    } finally {
      busy = false;
      buttons.removeAttribute('aria-busy');
    }
  }

  const follow = throttled(() => void load(), followMs, signal);
  const later = throttled(() => void loadTrace(), afterwardsMs, signal);
  live.on(
    'order',
    (change) => {
      if (change.orderId !== orderId) return;
      if (!busy && change.status !== '' && change.status !== shown?.status)
        announce(`This order is ${change.status} now.`);
      follow();
      later();
    },
    signal,
  );
  live.on('again', follow, signal);
  live.on('failed', later, signal);

  void load();
  const element = h(
    'div',
    { class: 'view' },
    h('p', { class: 'back' }, h('a', { href: '#/orders' }, 'All orders')),
    h(
      'div',
      { class: 'view-head' },
      h(
        'div',
        { class: 'title-row' },
        h('h1', { tabindex: '-1' }, 'Order ', h('span', { class: 'number-text' }, orderId)),
        chip,
      ),
      buttons,
    ),
    said,
    refusal.element,
    alert.element,
    content,
  );
  return { title: `Order ${orderId}`, element, close: () => gone.abort() };
}

/** @param {string} name @param {Child} value */
const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

/** @param {OrderDetails} order */
const facts = ({ customerId, country, placedAt, lineCount, total, tracking }) =>
  h(
    'dl',
    { class: 'facts panel' },
    fact('Total', h('strong', {}, money(total))),
    fact('Placed', h('time', { datetime: placedAt }, dateAndTime(placedAt))),
    fact('Country', country),
    fact('Customer', customerId || 'Not known'),
    fact('Tracking', tracking || '–'),
    fact('Contents', counted(lineCount, 'line')),
  );

/** Lines drawn at once; an order may have a thousand. */
const linesAtOnce = 100;

/** @param {OrderDetails} order */
function lineTable({ lines, total }) {
  const { table, body } = dataTable({ caption: 'Lines of the order', columns: lineColumns });
  let drawn = 0;
  const more = h('button', { type: 'button', on: { click: () => draw() } });
  function draw() {
    const part = lines.slice(drawn, drawn + linesAtOnce);
    drawn += part.length;
    body.append(
      ...part.map(({ sku, description, quantity, unitPrice, amount }) =>
        dataRow(lineColumns, [
          h('span', { class: 'number-text' }, sku),
          description || '–',
          count(quantity),
          unitPrice,
          money(amount),
        ]),
      ),
    );
    more.hidden = drawn === lines.length;
    more.textContent = `Show ${counted(Math.min(linesAtOnce, lines.length - drawn), 'more line', 'more lines')}`;
  }
  draw();
  return h(
    'section',
    { class: 'panel' },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', {}, 'Lines'),
      h('p', { class: 'sum' }, 'Total ', h('strong', {}, money(total))),
    ),
    table,
    more,
  );
}
