/** @import { Health } from "./types.ts" */
/** What is shown below an address. @typedef {{ title: string, element: HTMLElement, close(): void }} View */

import { ask, readHealth, unlessAborted } from './api.js';
import { find, setText } from './dom.js';
import { live } from './live.js';
import { newOrderView } from './views/new-order.js';
import { operationsView } from './views/operations.js';
import { orderView } from './views/order.js';
import { ordersView } from './views/orders.js';
import { revenueView } from './views/revenue.js';

const main = find('#main', HTMLElement);
/** @type {Record<string, string>} */
const busNames = { inprocess: 'In process', kafka: 'Kafka', pulsar: 'Pulsar' };

/** `#/orders/ID?x=y`: which view, and with what. @returns {{ tab: string, make: () => View }} */
function route() {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [name = '', ...rest] = path.split('/');
  const id = decode(rest.join('/'));
  if (name === 'orders' && id !== '') return { tab: 'orders', make: () => orderView(id) };
  if (name === 'new') return { tab: 'orders', make: newOrderView };
  if (name === 'revenue') return { tab: 'revenue', make: revenueView };
  if (name === 'operations') return { tab: 'operations', make: operationsView };
  return { tab: 'orders', make: () => ordersView(new URLSearchParams(query)) };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @type {View | undefined} */
let view;
/**
 * Shows the view of the address. Focus goes to its heading, so that it is read out and Tab goes on from there.
 * @param {{ focus: boolean }} how
 */
function show({ focus }) {
  const { tab, make } = route();
  view?.close();
  view = make();
  main.replaceChildren(view.element);
  document.title = `${view.title} · Order desk`;
  for (const link of find('.tabs', HTMLElement).querySelectorAll('a')) {
    if (link.dataset['view'] === tab) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!focus) return;
  scrollTo(0, 0);
  find('h1', HTMLElement, view.element).focus({ preventScroll: true });
}

/** @typedef {[text: string, tone: string]} Told */
/** @param {string} id @param {Told} told */
function tell(id, ...[text, tone]) {
  const sign = find(`#sign-${id}`, HTMLElement);
  sign.dataset['tone'] = tone;
  setText(find('.sign-value', HTMLElement, sign), text);
}

/** @type {Record<typeof live.state, Told>} */
const liveTexts = {
  connecting: ['Connecting', 'wait'],
  connected: ['Live', 'good'],
  reconnecting: ['Reconnecting', 'bad'],
};
/** @type {Partial<Record<Health['status'], Told>>} */
const healthTexts = {
  ok: ['Healthy', 'good'],
  draining: ['Shutting down', 'wait'],
  unreachable: ['Unreachable', 'bad'],
};

async function lookAtHealth() {
  const { status, checks } = await readHealth();
  const failing = checks.filter(({ ok }) => !ok).length;
  const [text, tone] = healthTexts[status] ?? [failing === 1 ? 'One check fails' : `${failing} checks fail`, 'bad'];
  tell('health', text, tone);
}

/** How often health is asked for. Milliseconds. */
const healthEveryMs = 10_000;
const failedCount = find('#failed-count', HTMLElement);

/** @param {number} failed */
function showFailed(failed) {
  failedCount.hidden = failed === 0;
  setText(failedCount, failed === 0 ? '' : `${failed} failed`);
}

live.on('state', (state) => {
  tell('live', ...liveTexts[state]);
  void lookAtHealth();
});
live.on('groups', ({ backend }) => tell('bus', busNames[backend] ?? backend, 'plain'));
live.on('failed', ({ count }) => showFailed(count));
setInterval(() => void lookAtHealth(), healthEveryMs);

async function lookAround() {
  const [groups, failed] = await Promise.all([ask('/api/groups'), ask('/api/failed')]);
  tell('bus', busNames[groups.backend] ?? groups.backend, 'plain');
  showFailed(failed.places.reduce((sum, place) => sum + place.count, 0));
}
const lookAgain = () => void lookAround().catch(unlessAborted(() => tell('bus', 'Unknown', 'plain')));
live.on('again', lookAgain);

addEventListener('hashchange', () => show({ focus: true }));
live.followPage();
find('#skip', HTMLElement).addEventListener('click', (event) => {
  // Not as an address: that of the page is the view's.
  event.preventDefault();
  main.focus();
});

show({ focus: false });
live.open();
lookAgain();
void lookAtHealth();
