/** @import { Part } from "../dom.js" */
/** @import { Groups, Health } from "../types.ts" */
import { ask, readHealth, unlessAborted } from '../api.js';
import { h, reconcile, replace, setText } from '../dom.js';
import { capital, clock, count } from '../format.js';
import { live, throttled } from '../live.js';
import { alertPlace, emptyState, loading } from '../parts/notice.js';
import { dataRow, dataTable } from '../parts/table.js';
import { failedMessages } from './failed.js';

const columns = [
  { label: 'Group' },
  { label: 'Topic' },
  { label: 'State' },
  { label: 'Members', number: true },
  { label: 'Waiting', number: true },
];
/** @typedef {Groups['groups'][number]} Group */
/** @typedef {[text: string, tone: string]} Told */

/** @type {Record<string, Told>} */
const states = { ok: ['Up to date', 'good'], behind: ['Behind', 'wait'], stopped: ['Stopped', 'bad'] };
/** Milliseconds. */
const healthEveryMs = 5_000;

/** How far consumers are, what they could not handle, and whether all is well. */
export function operationsView() {
  const gone = new AbortController();
  const { signal } = gone;
  const groups = groupTable();
  const health = healthList();
  const failed = failedMessages(signal);

  /** @returns {Promise<void>} */
  const loadGroups = () =>
    ask('/api/groups', { signal }).then(
      (found) => groups.show(found),
      unlessAborted(({ message }) => groups.fail(message, loadGroups)),
    );
  const loadHealth = () =>
    readHealth(signal).then(
      (report) => health.show(report),
      unlessAborted(() => {}),
    );
  const all = () => {
    void loadGroups();
    void loadHealth();
    void failed.load();
  };

  live.on('groups', (found) => groups.show(found), signal);
  live.on(
    'failed',
    throttled(() => void failed.load(), 1_000, signal),
    signal,
  );
  live.on('again', all, signal);
  live.on('state', () => void loadHealth(), signal);
  const timer = setInterval(() => void loadHealth(), healthEveryMs);
  all();

  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'view-head' }, h('h1', { tabindex: '-1' }, 'Operations')),
    h('div', { class: 'with-side' }, h('div', { class: 'stack' }, failed.element, groups.element), health.element),
  );
  return {
    title: 'Operations',
    element,
    close() {
      clearInterval(timer);
      gone.abort();
    },
  };
}

function groupTable() {
  const { table, body } = dataTable({ caption: 'Consumer groups', columns });
  const alert = alertPlace();
  const updated = h('p', { class: 'quiet' });
  const place = h('div', {}, loading('groups'));
  /** @type {Map<string, Part<Group>>} */
  const known = new Map();
  return {
    element: h(
      'section',
      { class: 'panel' },
      h('div', { class: 'panel-head' }, h('h2', {}, 'Consumer groups'), updated),
      alert.element,
      place,
    ),
    /** @param {Groups} found */
    show({ groups, updatedAt }) {
      alert.clear();
      setText(updated, `As of ${clock(updatedAt)}`);
      reconcile(body, known, groups, ({ topic, group }) => JSON.stringify([topic, group]), groupRow);
      if (groups.length === 0)
        replace(place, emptyState('No groups yet', h('p', {}, 'They come into being with the first subscription.')));
      else if (!place.contains(table)) replace(place, table);
    },
    /** @param {string} text @param {() => unknown} retry */
    fail(text, retry) {
      if (known.size === 0) replace(place);
      alert.show(text, retry);
    },
  };
}

/** @param {Group} group @returns {Part<Group>} */
function groupRow({ topic, group }) {
  const state = h('span', { class: 'state' });
  const members = h('span');
  const lag = h('span', { class: 'lag' });
  return {
    element: dataRow(columns, [h('strong', {}, group), topic, state, members, lag]),
    update(now) {
      const [text, tone] = states[now.state] ?? [capital(now.state), 'plain'];
      setText(state, text);
      state.dataset['tone'] = tone;
      setText(members, count(now.members));
      setText(lag, count(now.lag));
    },
  };
}

/** @type {Record<string, Told>} */
const statusTexts = {
  ok: ['All is well', 'good'],
  failing: ['Something fails', 'bad'],
  draining: ['Shutting down', 'wait'],
  unreachable: ['The server does not answer', 'bad'],
};
/** @type {Record<string, string>} */
const checkNames = { broker: 'Broker', store: 'Event store', relay: 'Relay', lag: 'Lag', projections: 'Read models' };

function healthList() {
  const line = h('p', { class: 'state health-state', role: 'status' }, '…');
  const list = h('ul', { class: 'checks' });
  return {
    element: h(
      'section',
      { class: 'panel side' },
      h('h2', {}, 'Health'),
      line,
      list,
      h(
        'ul',
        { class: 'links' },
        h('li', {}, h('a', { href: '/health/ready' }, 'Health as JSON')),
        h('li', {}, h('a', { href: '/metrics' }, 'Metrics for Prometheus')),
        h('li', {}, h('a', { href: '/openapi.json' }, 'OpenAPI document')),
      ),
    ),
    /** @param {Health} report */
    show({ status, checks }) {
      const [text, tone] = statusTexts[status] ?? [capital(status), 'plain'];
      setText(line, text);
      line.dataset['tone'] = tone;
      replace(
        list,
        checks.map(({ name, ok, detail }) =>
          h(
            'li',
            {},
            h('span', { class: 'state', data: { tone: ok ? 'good' : 'bad' } }, checkNames[name] ?? capital(name)),
            h('span', { class: 'quiet' }, detail ?? (ok ? 'OK' : 'Fails')),
          ),
        ),
      );
    },
  };
}
