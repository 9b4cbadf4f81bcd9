/** @import { StreamEvents } from "../types.ts" */
import { h } from '../dom.js';
import { capital, clock, money } from '../format.js';

/** Entries kept; older ones go. */
const most = 14;
/** How long an entry shows that it is new. Milliseconds; as long as the animation. */
const freshMs = 4_000;

/** The newest changes of orders, newest first. */
export function activity() {
  const list = h('ol', { class: 'feed' });
  const empty = h(
    'p',
    { class: 'quiet' },
    'Nothing has happened since you opened this page. What is placed, paid or shipped appears here.',
  );
  const element = h('div', {}, empty, list);
  let paused = false;
  /** @type {StreamEvents['order'][]} */
  let waiting = [];
  let scheduled = false;

  /** @param {StreamEvents['order']} event */
  function put({ type, orderId, time, country, total }) {
    empty.hidden = true;
    const verb = type.replace(/^order\./, '');
    const about = [total && money(total), country].filter(Boolean).join(' · ');
    const item = h(
      'li',
      { class: `feed-item fresh feed-${verb}` },
      h('a', { href: `#/orders/${encodeURIComponent(orderId)}`, class: 'feed-order' }, orderId),
      h('span', { class: 'feed-verb' }, capital(verb)),
      h('time', { datetime: time, class: 'quiet' }, clock(time)),
      about !== '' && h('span', { class: 'feed-about quiet' }, about),
    );
    list.prepend(item);
    setTimeout(() => item.classList.remove('fresh'), freshMs);
    while (list.childElementCount > most) list.lastElementChild?.remove();
  }

  /** Once a picture, however many came; a page that is not seen draws nothing. */
  function draw() {
    scheduled = false;
    if (paused) return;
    for (const event of waiting) put(event);
    waiting = [];
  }

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(draw);
  }

  return {
    element,
    /** @param {StreamEvents['order']} event */
    add(event) {
      waiting = [...waiting, event].slice(-most);
      schedule();
    },
    /** @param {boolean} value */
    pause(value) {
      paused = value;
      schedule();
    },
  };
}
