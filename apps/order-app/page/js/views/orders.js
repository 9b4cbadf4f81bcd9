/** @import { OrderPage } from "../types.ts" */
import { announce, announceArrival } from '../announcer.js';
import { ask, unlessAborted, withQuery } from '../api.js';
import { h, replace, setText } from '../dom.js';
import { count } from '../format.js';
import { live, throttled } from '../live.js';
import { alertPlace, emptyState, loading } from '../parts/notice.js';
import { activity } from './activity.js';
import { filters } from './filters.js';
import { ordersTable } from './orders-table.js';

/** Rows of a page: what the document holds at most, however many orders there are. */
const pageSize = 25;
/** How often the list follows what happens. Milliseconds. */
const followMs = 1_000;

/** All orders, a page at a time, as they arrive. Filters stand in the address. @param {URLSearchParams} parameters */
export function ordersView(parameters) {
  const gone = new AbortController();
  const { signal } = gone;
  // What could not be done stays to be read when the list is loaded again.
  const [alert, refusal] = [alertPlace(), alertPlace()];
  const table = ordersTable({
    onError({ message }) {
      refusal.show(message);
      void load({ fresh: true });
    },
    onDone() {
      refusal.clear();
      void load({ fresh: true });
    },
  });
  const chosen = filters(parameters, () => restart());
  const place = h('div', { class: 'list' }, loading('orders'));
  const range = h('p', { class: 'range' });
  const back = h('button', { type: 'button', on: { click: () => turn(-1) } }, 'Previous');
  const on = h('button', { type: 'button', on: { click: () => turn(1) } }, 'Next');
  const pager = h('nav', { class: 'pager', 'aria-label': 'Pages of orders', hidden: true }, range, back, on);
  const pause = h(
    'button',
    { type: 'button', class: 'small', 'aria-pressed': 'false', on: { click: () => toggle() } },
    'Pause updates',
  );
  const missed = h('button', { type: 'button', class: 'missed', hidden: true, on: { click: () => catchUp() } });
  const feed = activity();

  /** Cursors of the pages up to the one shown. @type {(string | undefined)[]} */
  let cursors = [undefined];
  /** @type {string | null} */
  let next = null;
  let paused = false;
  let unread = 0;
  let running = false;
  /** What was asked for meanwhile. @type {{ fresh: boolean, tell: boolean } | undefined} */
  let wanted;

  /**
   * `fresh`: marks what is new; `tell`: says what is found, for who asked for it. The server has one load at a time to do for a page.
   * @param {{ fresh?: boolean, tell?: boolean }} how
   * @returns {Promise<void>}
   */
  async function load({ fresh = false, tell = false } = {}) {
    if (running) {
      wanted = { fresh, tell: tell || wanted?.tell === true };
      return;
    }
    running = true;
    place.setAttribute('aria-busy', 'true');
    const path = pathNow();
    try {
      const page = await ask(path, { signal });
      // Else another page is wanted by now.
      if (path === pathNow()) {
        alert.clear();
        show(page, fresh);
        if (tell) announce(page.count === 0 ? 'No order fits.' : `Orders ${range.textContent}.`);
      }
    } catch (cause) {
      unlessAborted(({ message }) => {
        if (!table.shown()) replace(place);
        alert.show(message, () => load());
      })(cause);
    }
    running = false;
    const following = wanted;
    wanted = undefined;
    if (following === undefined || signal.aborted) place.removeAttribute('aria-busy');
    else void load(following);
  }

  const pathNow = () => withQuery('/api/orders', { ...chosen.query(), limit: pageSize, cursor: cursors.at(-1) });

  /** @param {OrderPage} page @param {boolean} fresh */
  function show(page, fresh) {
    next = page.next;
    table.show(page.orders, { fresh });
    if (page.orders.length > 0) {
      if (!place.contains(table.element)) replace(place, table.element);
    } else replace(place, nothing());
    const first = (cursors.length - 1) * pageSize + 1;
    pager.hidden = page.count === 0;
    setText(range, `${count(first)} to ${count(first + page.orders.length - 1)} of ${count(page.count)}`);
    turnable(back, cursors.length > 1, on);
    turnable(on, next !== null, back);
  }

  function nothing() {
    if (chosen.any())
      return emptyState(
        'No order fits',
        h('p', {}, 'Try another word, or show all orders again.'),
        h('button', { type: 'button', on: { click: () => chosen.clear() } }, 'Show all orders'),
      );
    return emptyState(
      'No orders yet',
      h('p', {}, h('a', { href: '#/new' }, 'Place the first one'), ', or fill the shop with 2,000 invented invoices:'),
      h('p', {}, 'stop the server and start it with ', h('code', {}, 'npm start -- serve --sample'), '.'),
      h('p', {}, 'Your own invoices come in with ', h('code', {}, 'npm start -- import FILE.csv'), '.'),
    );
  }

  function restart() {
    cursors = [undefined];
    noneMissed();
    void load({ tell: true });
  }

  /** @param {number} by */
  function turn(by) {
    if (by > 0 && next !== null) cursors.push(next);
    else if (by < 0 && cursors.length > 1) cursors.pop();
    if (cursors.length === 1) noneMissed();
    void load({ tell: true });
  }

  function toggle() {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    feed.pause(paused);
    if (!paused) catchUp();
  }

  function catchUp() {
    cursors = [undefined];
    // Before the button that was pressed vanishes.
    if (document.activeElement === missed) pause.focus();
    noneMissed();
    void load({ fresh: true });
  }

  function noneMissed() {
    unread = 0;
    missed.hidden = true;
  }

  const follow = throttled(
    () => {
      // Meanwhile another page may be shown.
      if (!paused && cursors.length === 1) void load({ fresh: true });
    },
    followMs,
    signal,
  );
  const recount = throttled(() => void chosen.refresh(signal), followMs * 2, signal);
  live.on(
    'order',
    (change) => {
      feed.add(change);
      recount();
      if (!paused && cursors.length === 1) {
        announceArrival();
        follow();
        return;
      }
      unread += 1;
      missed.hidden = false;
      setText(missed, `${unread === 1 ? 'One change' : `${count(unread)} changes`} since. Show the newest`);
    },
    signal,
  );
  live.on('again', () => (paused ? undefined : (void load(), recount())), signal);

  void load();
  recount();
  const element = h(
    'div',
    { class: 'view' },
    h(
      'div',
      { class: 'view-head' },
      h('h1', { tabindex: '-1' }, 'Orders'),
      h('a', { class: 'button primary', href: '#/new' }, 'New order'),
    ),
    h(
      'div',
      { class: 'with-side' },
      h(
        'div',
        { class: 'panel' },
        chosen.element,
        refusal.element,
        alert.element,
        h('div', { class: 'missed-row' }, missed),
        place,
        pager,
      ),
      h(
        'section',
        { class: 'panel side', 'aria-label': 'Activity' },
        h('div', { class: 'panel-head' }, h('h2', {}, 'Activity'), pause),
        feed.element,
      ),
    ),
  );
  return { title: 'Orders', element, close: () => gone.abort() };
}

/**
 * Focus that stood on a button which cannot be pressed any more goes to its neighbour.
 * @param {HTMLButtonElement} button
 * @param {boolean} can
 * @param {HTMLButtonElement} other
 */
function turnable(button, can, other) {
  const focused = document.activeElement === button;
  button.disabled = !can;
  if (focused && !can) other.focus();
}
