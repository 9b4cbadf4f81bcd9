/** @import { Fault } from "../types.ts" */
/** @import { Field, Line } from "./order-form.js" */
import { announce } from '../announcer.js';
import { ask, send, unlessAborted } from '../api.js';
import { h, replace, setText } from '../dom.js';
import { money, totalOf } from '../format.js';
import { fieldOf, orderLine } from './order-form.js';

/** Places an order. What the server refuses stands beside its field, and in a list above. */
export function newOrderView() {
  const gone = new AbortController();
  const { signal } = gone;
  const country = fieldOf({
    id: 'country',
    label: 'Country',
    required: true,
    list: 'countries',
    autocomplete: 'country-name',
  });
  const customer = fieldOf({ id: 'customerId', label: 'Customer', hint: 'Number of the customer, if known' });
  const number = fieldOf({ id: 'orderId', label: 'Order number', hint: 'Left empty, one is made' });
  const countries = h('datalist', { id: 'countries' });
  // Sent again after an answer that got lost, the order is still one.
  const ownNumber = newNumber();
  /** @type {Line[]} */
  const lines = [];
  const lineList = h('ol', { class: 'form-lines' });
  const total = h('output', { class: 'form-total' });
  const faults = h('div', { class: 'alert', role: 'alert', tabindex: '-1', hidden: true });
  const place = h('button', { type: 'submit', class: 'primary' }, 'Place order');

  /** @param {{ focus: boolean }} how */
  function addLine({ focus }) {
    const line = orderLine({ remove: () => removeLine(line), changed: sumUp });
    lines.push(line);
    lineList.append(line.element);
    renumber();
    if (focus) line.focus();
  }

  /** @param {Line} line */
  function removeLine(line) {
    const at = lines.indexOf(line);
    lines.splice(at, 1);
    line.element.remove();
    renumber();
    lines[Math.min(at, lines.length - 1)]?.focus();
    announce(`Line ${at + 1} is removed.`);
  }

  function renumber() {
    for (const [i, line] of lines.entries()) line.number(i, lines.length > 1);
    sumUp();
  }

  function sumUp() {
    const sum = totalOf(lines.map((line) => line.typed()));
    setText(total, sum === undefined ? '–' : money(sum));
  }

  /** @returns {Field[]} */
  const fields = () => [country, customer, number, ...lines.flatMap((line) => line.fields)];

  /** @param {string} detail @param {Fault[]} errors */
  function showFaults(detail, errors) {
    for (const field of fields()) field.fault(undefined);
    const entries = errors.map(({ path, message }) => {
      const field = fields().find(({ input }) => input.id === path);
      field?.fault(message);
      return h(
        'li',
        {},
        field
          ? h(
              'a',
              { href: `#${path}`, on: { click: (event) => (event.preventDefault(), field.input.focus()) } },
              `${field.name()}: ${message}`,
            )
          : `${path}: ${message}`,
      );
    });
    replace(faults, h('p', {}, detail), entries.length > 0 && h('ul', {}, entries));
    faults.hidden = false;
    faults.focus();
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (place.getAttribute('aria-disabled') === 'true') return;
    const bad = lines.flatMap(({ quantity }) =>
      /^\s*-?\d{1,15}\s*$/.test(quantity.input.value)
        ? []
        : [{ path: quantity.input.id, message: 'It is not a whole number.' }],
    );
    if (bad.length > 0) {
      showFaults('The order is not placed: a quantity is missing.', bad);
      return;
    }
    place.setAttribute('aria-disabled', 'true');
    try {
      const body = {
        orderId: number.input.value.trim() || ownNumber,
        ...(customer.input.value.trim() !== '' && { customerId: customer.input.value.trim() }),
        country: country.input.value.trim(),
        lines: lines.map((line) => line.value()),
      };
      const order = await send('/api/orders', body, { signal });
      announce(`Order ${order.orderId} is placed.`);
      location.hash = `#/orders/${encodeURIComponent(order.orderId)}`;
    } catch (cause) {
      unlessAborted(({ message, errors }) =>
        showFaults(errors.length > 0 ? 'The order is not placed. Correct these fields:' : message, errors),
      )(cause);
    } finally {
      place.removeAttribute('aria-disabled');
    }
  }

  addLine({ focus: false });
  ask('/api/statistics', { signal })
    .then(({ byCountry }) =>
      replace(
        countries,
        byCountry.map(({ key }) => h('option', { value: key })),
      ),
    )
    // Without it there are no suggestions.
    .catch(unlessAborted(() => {}));

  const element = h(
    'div',
    { class: 'view narrow' },
    h('p', { class: 'back' }, h('a', { href: '#/orders' }, 'All orders')),
    h('div', { class: 'view-head' }, h('h1', { tabindex: '-1' }, 'New order')),
    h(
      'form',
      { class: 'panel form', novalidate: true, on: { submit } },
      faults,
      h('div', { class: 'form-row' }, country.element, customer.element, number.element),
      countries,
      h('h2', {}, 'Lines'),
      lineList,
      h('button', { type: 'button', on: { click: () => addLine({ focus: true }) } }, 'Add line'),
      h('div', { class: 'form-end' }, h('p', {}, 'Total ', total), place),
    ),
  );
  return { title: 'New order', element, close: () => gone.abort() };
}

/** As the server makes them: 50 bits, in letters and digits that are told apart when read out. */
const newNumber = () =>
  `W-${Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[byte % 32]).join('')}`;
