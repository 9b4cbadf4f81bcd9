import { h, reconcile } from '../dom.js';
import { capital, dateAndTime, exactClock, money } from '../format.js';

/** What happened to an order, oldest first. An entry that is open stays open when others come. */
export function timeline() {
  const list = h('ol', { class: 'timeline' });
  const known = new Map();
  return {
    element: h('section', { class: 'panel' }, h('h2', {}, 'Events'), list),
    show(events) {
      const before = known.size;
      const added = reconcile(list, known, events, ({ id }) => id, entry);
      if (before > 0) for (const id of added) known.get(id).element.classList.add('fresh');
    },
  };
}

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

const pair = (name, value) => [h('dt', {}, name), h('dd', { class: 'number-text' }, value)];

function sentence(verb, data) {
  if (verb === 'placed')
    return `${data.lines.length === 1 ? 'One line' : `${data.lines.length} lines`}, to ${data.country}`;
  if (verb === 'paid') return `${amount(data.amount)} received`;
  if (verb === 'shipped') return data.tracking ? `Tracking ${data.tracking}` : 'Without a tracking number';
  if (verb === 'cancelled') return data.reason || 'No reason given';
  if (verb === 'refunded') return `${amount(data.amount)} paid back`;
  return '';
}

/** Amounts in events have all their decimals. */
const amount = (text) => (text.includes('.') ? money(text.replace(/\.(\d)$/, '.$10')) : money(`${text}.00`));
