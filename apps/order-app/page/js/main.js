import { ask, readHealth, unlessAborted } from './api.js';
import { setText } from './dom.js';
import { live } from './live.js';
import { newOrderView } from './views/new-order.js';
import { operationsView } from './views/operations.js';
import { orderView } from './views/order.js';
import { ordersView } from './views/orders.js';
import { revenueView } from './views/revenue.js';

const main = document.querySelector('#main');
const busNames = { inprocess: 'In process', kafka: 'Kafka', pulsar: 'Pulsar' };

/** `#/orders/ID?x=y`: which view, and with what. */
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

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

let view;
/** Shows the view of the address. Focus goes to its heading, so that it is read out and Tab goes on from there. */
function show({ focus }) {
  const { tab, make } = route();
  view?.close();
  view = make();
  main.replaceChildren(view.element);
  document.title = `${view.title} · Order desk`;
  for (const link of document.querySelectorAll('.tabs a')) {
    if (link.dataset.view === tab) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!focus) return;
  scrollTo(0, 0);
  view.element.querySelector('h1').focus({ preventScroll: true });
}

const sign = (id) => document.querySelector(`#sign-${id}`);
function tell(id, text, tone) {
  sign(id).dataset.tone = tone;
  setText(sign(id).querySelector('.sign-value'), text);
}

const liveTexts = {
  connecting: ['Connecting', 'wait'],
  connected: ['Live', 'good'],
  reconnecting: ['Reconnecting', 'bad'],
};
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
const failedCount = document.querySelector('#failed-count');

function showFailed(failed) {
  failedCount.hidden = failed === 0;
  setText(failedCount, failed === 0 ? '' : `${failed} failed`);
}

live.addEventListener('state', () => {
  tell('live', ...liveTexts[live.state]);
  void lookAtHealth();
});
live.addEventListener('groups', ({ detail }) => tell('bus', busNames[detail.backend] ?? detail.backend, 'plain'));
live.addEventListener('failed', ({ detail }) => showFailed(detail.count));
setInterval(() => void lookAtHealth(), healthEveryMs);

async function lookAround() {
  const [groups, failed] = await Promise.all([ask('/api/groups'), ask('/api/failed')]);
  tell('bus', busNames[groups.backend] ?? groups.backend, 'plain');
  showFailed(failed.places.reduce((sum, place) => sum + place.count, 0));
}
const lookAgain = () => void lookAround().catch(unlessAborted(() => tell('bus', 'Unknown', 'plain')));
live.addEventListener('again', lookAgain);

addEventListener('hashchange', () => show({ focus: true }));
live.followPage();
document.querySelector('#skip').addEventListener('click', (event) => {
  // Not as an address: that of the page is the view's.
  event.preventDefault();
  main.focus();
});

show({ focus: false });
live.open();
lookAgain();
void lookAtHealth();
