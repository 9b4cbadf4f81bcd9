/** @import { Part } from "../dom.js" */
/** @import { Question } from "../parts/dialog.js" */
/** @import { Column } from "../parts/table.js" */
/** @import { Failed, FailedRun } from "../types.ts" */
import { ask as askServer, send, unlessAborted } from '../api.js';
import { h, reconcile, replace, setText } from '../dom.js';
import { counted, dateAndTime } from '../format.js';
import { ask } from '../parts/dialog.js';
import { alertPlace, emptyState, loading } from '../parts/notice.js';
import { dataRow, dataTable } from '../parts/table.js';

/**
 * @typedef {Failed['messages'][number]} Message
 * @typedef {Failed['places'][number]} Counted
 * @typedef {Counted & { messages: Message[] }} Place
 * @typedef {(action: 'redrive' | 'discard', place: Counted, ids?: string[], question?: Question) => Promise<void>} Run
 */

/** @type {Column[]} */
const columns = [
  { label: 'Message' },
  { label: 'Error', wide: true },
  { label: 'Attempts', number: true },
  { label: 'Last failed' },
  { label: 'Actions', bare: true },
];

/** Messages that a group could not handle, by place, to be redriven or discarded, one or all. @param {AbortSignal} signal */
export function failedMessages(signal) {
  const said = h('p', { class: 'said', role: 'status', tabindex: '-1' });
  // What could not be done stays to be read when the messages are loaded again.
  const [alert, refusal] = [alertPlace(), alertPlace()];
  const list = h('div', { class: 'places' }, loading('failed messages'));
  /** @type {Map<string, Part<Place>>} */
  const known = new Map();
  let first = true;

  async function load() {
    try {
      const { places, messages } = await askServer('/api/failed', { signal });
      alert.clear();
      show(
        places.filter((place) => place.count > 0),
        messages,
      );
    } catch (cause) {
      unlessAborted(({ message }) => {
        if (first) replace(list);
        alert.show(message, () => void load());
      })(cause);
    }
  }

  /** @param {Counted[]} places @param {Message[]} messages */
  function show(places, messages) {
    if (first || (places.length > 0 && known.size === 0)) replace(list);
    first = false;
    reconcile(
      list,
      known,
      places.map((place) => ({ ...place, messages: messages.filter((message) => keyOf(message) === keyOf(place)) })),
      keyOf,
      (place) => failedPlace(place, run),
    );
    if (places.length === 0)
      replace(
        list,
        emptyState(
          'No failed messages',
          h('p', {}, 'What a group cannot handle, after all its tries, waits here for you.'),
        ),
      );
  }

  /** Once it is asked and agreed to: does it, says so, and shows what is left. @type {Run} */
  async function run(action, { topic, group }, ids, question) {
    if (question !== undefined && (await ask(question)) === undefined) return;
    /** @type {FailedRun} */
    const what = { topic, group, ids };
    try {
      const { done, kept } = await send(`/api/failed/${action}`, what);
      refusal.clear();
      const verb = action === 'redrive' ? 'redriven' : 'discarded';
      setText(said, `${counted(done, 'message')} ${verb}${kept > 0 ? `, ${kept} kept` : ''}.`);
      await load();
      if (!list.contains(document.activeElement)) said.focus();
    } catch (cause) {
      unlessAborted(({ message }) => refusal.show(message))(cause);
    }
  }

  return {
    load,
    element: h(
      'section',
      { class: 'panel' },
      h('h2', {}, 'Failed messages'),
      said,
      refusal.element,
      alert.element,
      list,
    ),
  };
}

/** @param {{ topic: string, group: string }} place */
const keyOf = ({ topic, group }) => JSON.stringify([topic, group]);

/** @param {Place} place @param {Run} run @returns {Part<Place>} */
function failedPlace(place, run) {
  const { topic, group } = place;
  const title = h('h3', {});
  const { table, body } = dataTable({ caption: `Failed messages of ${group}`, columns, className: 'failed' });
  const hidden = h('p', { class: 'quiet' });
  /** @type {Map<string, Part<Message>>} */
  const known = new Map();
  let now = place;
  const all = () => counted(now.count, 'message');
  return {
    element: h(
      'section',
      { class: 'place' },
      h(
        'div',
        { class: 'panel-head' },
        title,
        h(
          'div',
          { class: 'actions' },
          button('Redrive all', `Redrive all failed messages of ${group}`, () =>
            run('redrive', place, undefined, {
              title: `Redrive ${all()}`,
              text: `They go to ${group} again, and to no other group. What fails again comes back here.`,
              confirm: 'Redrive all',
            }),
          ),
          button('Discard all', `Discard all failed messages of ${group}`, () =>
            run('discard', place, undefined, discarding(all(), group)),
          ),
        ),
      ),
      table,
      hidden,
    ),
    update(next) {
      now = next;
      title.replaceChildren(h('span', {}, group), h('span', { class: 'quiet' }, ` on ${topic}, ${all()}`));
      reconcile(
        body,
        known,
        next.messages,
        ({ id }) => id,
        (message) => failedRow(message, place, run),
      );
      setText(
        hidden,
        next.count > next.messages.length
          ? `${counted(next.count - next.messages.length, 'more message')} not shown.`
          : '',
      );
    },
  };
}

/** @param {string} what @param {string} group @returns {Question} */
const discarding = (what, group) => ({
  title: `Discard ${what}`,
  text: `${group} will never handle what you discard. A copy stays in the log.`,
  confirm: 'Discard',
  danger: true,
});

/** @param {Message} message @param {Counted} place @param {Run} run @returns {Part<Message>} */
function failedRow({ id, type, key }, place, run) {
  const error = h('span', { class: 'error-text' });
  const code = h('code');
  const attempts = h('span');
  const last = h('time');
  const order = type.startsWith('order.');
  return {
    element: dataRow(columns, [
      h(
        'span',
        { class: 'message' },
        h('strong', {}, type),
        order ? h('a', { href: `#/orders/${encodeURIComponent(key)}` }, key) : key,
        h('span', { class: 'quiet message-id', title: id }, id),
      ),
      [code, ' ', error],
      attempts,
      last,
      h(
        'span',
        { class: 'actions' },
        button('Redrive', `Redrive ${type} ${key}`, () => run('redrive', place, [id])),
        button('Discard', `Discard ${type} ${key}`, () =>
          run('discard', place, [id], discarding(`${type} of ${key}`, place.group)),
        ),
      ),
    ]),
    update(message) {
      setText(code, message.errorCode);
      setText(error, message.error || 'No error text');
      setText(attempts, message.attempts === 0 ? '–' : String(message.attempts));
      setText(last, message.lastFailed === null ? '–' : dateAndTime(message.lastFailed));
    },
  };
}

/** @param {string} text @param {string} label @param {() => unknown} work */
const button = (text, label, work) =>
  h('button', { type: 'button', class: 'small', 'aria-label': label, on: { click: () => void work() } }, text);
