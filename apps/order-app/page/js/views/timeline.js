/** @import { Part } from "../dom.js" */
/** @import { OrderEvent } from "../types.ts" */
import { h, reconcile } from '../dom.js';
import { capital, dateAndTime, exactClock, money } from '../format.js';

/** What happened to an order, oldest first. An entry that is open stays open when others come. */
export function timeline() {
  const list = h('ol', { class: 'timeline' });
  /** @type {Map<string, Part<OrderEvent>>} */
  const known = new Map();
  return {
    element: h('section', { class: 'panel' }, h('h2', {}, 'Events'), list),
    /** @param {OrderEvent[]} events */
    show(events) {
      const before = known.size;
      const added = reconcile(list, known, events, ({ id }) => id, entry);
      if (before > 0) for (const id of added) known.get(id)?.element.classList.add('fresh');
    },
  };
}

/** @param {OrderEvent} event */
function entry({ id, type, time, streamVersion, position, correlationId, data }) {
  const verb = type.replace(/^order\./, '');
  const element = h(
    'li',
    { class: `event event-${verb}` },
    h(
      'div',
      { class: 'event-head' },
      h('strong', {}, capital(verb)),
      h('time', { class: 'quiet', datetime: time, title: exactClock(time) }, dateAndTime(time)),
    ),
    h('p', { class: 'event-text' }, sentence(verb, data)),
    h(
      'details',
      {},
      h('summary', {}, 'Details'),
      h(
        'dl',
        { class: 'pairs' },
        pair('Event', id),
        pair('Type', type),
        pair('Version', String(streamVersion)),
        pair('Position', position),
        pair('Correlation', correlationId || '–'),
      ),
      h('pre', { tabindex: '0', role: 'region', 'aria-label': `Data of ${type}` }, JSON.stringify(data, undefined, 2)),
    ),
  );
  // An event never changes.
  return { element, update: () => {} };
}

/** @param {string} name @param {string} value */
const pair = (name, value) => [h('dt', {}, name), h('dd', { class: 'number-text' }, value)];

/** @param {string} verb @param {OrderEvent['data']} data */
function sentence(verb, data) {
  /** What data there is, its type alone says. @param {string} name */
  const text = (name) => (typeof data[name] === 'string' ? data[name] : '');
  if (verb === 'placed') {
    const lines = Array.isArray(data['lines']) ? data['lines'].length : 0;
    return `${lines === 1 ? 'One line' : `${lines} lines`}, to ${text('country')}`;
  }
  if (verb === 'paid') return `${amount(text('amount'))} received`;
  if (verb === 'shipped') return text('tracking') ? `Tracking ${text('tracking')}` : 'Without a tracking number';
  if (verb === 'cancelled') return text('reason') || 'No reason given';
  if (verb === 'refunded') return `${amount(text('amount'))} paid back`;
  return '';
}

/** Amounts in events have all their decimals. @param {string} text */
const amount = (text) => (text.includes('.') ? money(text.replace(/\.(\d)$/, '.$10')) : money(`${text}.00`));
