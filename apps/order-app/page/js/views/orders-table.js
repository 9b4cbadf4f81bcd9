/** @import { Problem } from "../api.js" */
/** @import { Part } from "../dom.js" */
/** @import { Action } from "../parts/order-actions.js" */
/** @import { OrderSummary } from "../types.ts" */
import { announce } from '../announcer.js';
import { unlessAborted } from '../api.js';
import { h, reconcile, replace, setText } from '../dom.js';
import { count, dateAndTime, money } from '../format.js';
import { statusChip } from '../parts/notice.js';
import { actionsOf, labelOf, perform, sentenceOf } from '../parts/order-actions.js';
import { dataRow, dataTable } from '../parts/table.js';

/**
 * A row, and what its button does.
 * @typedef {Part<OrderSummary> & { order?: OrderSummary, focus(): void, busy(value: boolean): void, mark(): void }} Row
 * @typedef {(action: Action, row: Row) => Promise<void>} Act
 */

const columns = [
  { label: 'Order', name: 'order' },
  { label: 'Status', name: 'status' },
  { label: 'Country', name: 'country' },
  { label: 'Customer', name: 'customer' },
  { label: 'Placed', name: 'placed' },
  { label: 'Lines', name: 'lines', number: true },
  { label: 'Total', name: 'total', number: true },
  { label: 'Next step', name: 'next', bare: true },
];
/** How long a row shows that it is new. Milliseconds; as long as the animation. */
const freshMs = 4_000;

/**
 * Rows of orders, each with its usual next step.
 * @param {{ onError: (problem: Problem) => void, onDone: () => void }} told
 */
export function ordersTable({ onError, onDone }) {
  const { table, body } = dataTable({ caption: 'Orders', columns, className: 'orders' });
  /** @type {Map<string, Row>} */
  const known = new Map();

  /** @type {Act} */
  async function act(action, row) {
    if (row.order === undefined) return;
    row.busy(true);
    try {
      const order = await perform(action, row.order);
      if (order === undefined) return;
      onDone();
      row.update(order);
      announce(`Order ${order.orderId}: ${sentenceOf(action)}`);
      row.focus();
    } catch (cause) {
      unlessAborted(onError)(cause);
    } finally {
      row.busy(false);
    }
  }

  return {
    element: table,
    shown: () => known.size > 0,
    /** `fresh`: marks rows that were not there, or were otherwise. @param {OrderSummary[]} orders @param {{ fresh: boolean }} how */
    show(orders, { fresh }) {
      const before = new Map([...known].map(([id, row]) => [id, row.order?.status]));
      reconcile(
        body,
        known,
        orders,
        ({ orderId }) => orderId,
        () => orderRow(act),
      );
      if (fresh)
        for (const { orderId, status } of orders) if (before.get(orderId) !== status) known.get(orderId)?.mark();
    },
  };
}

/** @param {Act} act */
function orderRow(act) {
  const link = h('a', { class: 'order-link' });
  const chip = h('span');
  const texts = { country: h('span'), customer: h('span'), placed: h('time'), lines: h('span'), total: h('span') };
  const next = h('span');
  const element = dataRow(columns, [
    link,
    chip,
    texts.country,
    texts.customer,
    texts.placed,
    texts.lines,
    texts.total,
    next,
  ]);
  /** @type {number | undefined} */
  let timer;
  /** @type {Row} */
  const row = {
    element,
    update(order) {
      const status = row.order?.status;
      row.order = order;
      setText(link, order.orderId);
      link.title = order.orderId;
      link.href = `#/orders/${encodeURIComponent(order.orderId)}`;
      setText(texts.country, order.country);
      setText(texts.customer, order.customerId || '–');
      setText(texts.placed, dateAndTime(order.placedAt));
      texts.placed.dateTime = order.placedAt;
      setText(texts.lines, count(order.lineCount));
      setText(texts.total, money(order.total));
      if (status === order.status) return;
      const focused = next.contains(document.activeElement);
      replace(chip, statusChip(order.status));
      replace(next, nextButton(order, act, row));
      if (focused) row.focus();
    },
    focus: () => (next.querySelector('button') ?? link).focus(),
    busy(value) {
      for (const button of next.querySelectorAll('button')) button.setAttribute('aria-disabled', String(value));
    },
    mark() {
      clearTimeout(timer);
      element.classList.remove('fresh');
      // Begins the animation again where it still runs.
      void element.offsetWidth;
      element.classList.add('fresh');
      timer = setTimeout(() => element.classList.remove('fresh'), freshMs);
    },
  };
  return row;
}

/** @param {OrderSummary} order @param {Act} act @param {Row} row */
function nextButton({ status, orderId }, act, row) {
  const [action] = actionsOf(status, false);
  if (action !== 'pay' && action !== 'ship') return undefined;
  const button = h(
    'button',
    {
      type: 'button',
      class: 'small',
      'aria-label': `${labelOf(action)} order ${orderId}`,
      on: {
        click: () => void (button.getAttribute('aria-disabled') !== 'true' && act(action, row)),
      },
    },
    labelOf(action),
  );
  return button;
}
