/** @import { Step } from "../types.ts" */
import { h, replace } from '../dom.js';
import { capital, exactClock } from '../format.js';
import { emptyState } from '../parts/notice.js';

/** @type {Record<string, string>} */
const kindNames = {
  command: 'Command',
  append: 'Saved',
  publish: 'Published',
  process: 'Handled',
  retry: 'Retry planned',
  'dead-letter': 'Set aside',
  redrive: 'Redriven',
};
/** Steps shown at once: the newest. */
const most = 200;

/** What became of the messages of an order, on their way through the system. */
export function traceSteps() {
  const body = h('div');
  const ids = h('p', { class: 'quiet trace-id' });
  let shown = '';
  return {
    element: h('section', { class: 'panel' }, h('h2', {}, 'Trace'), ids, body),
    /** @param {Step[]} steps */
    show(steps) {
      const now = JSON.stringify(steps);
      if (now === shown) return;
      shown = now;
      const traces = [...new Set(steps.map(({ traceId }) => traceId).filter(Boolean))];
      replace(
        ids,
        traces.length > 0 && [traces.length === 1 ? 'Trace ' : 'Traces ', traces.map((id) => h('code', {}, id))],
      );
      if (steps.length === 0)
        replace(
          body,
          emptyState(
            'No steps are remembered',
            h(
              'p',
              {},
              'The trail is kept in memory since this server was started. What happens from now on is shown here.',
            ),
          ),
        );
      else
        replace(
          body,
          steps.length > most && h('p', { class: 'quiet' }, `The latest ${most} of ${steps.length} steps.`),
          h('ol', { class: 'steps' }, steps.slice(-most).map(step)),
        );
    },
    /** @param {string} text */
    fail: (text) => replace(body, h('p', { class: 'alert', role: 'alert' }, text)),
  };
}

/** @param {Step} step */
function step({ time, kind, name, topic, group, attempt, outcome, error, durationMs, messageId }) {
  const where = [group && `by ${group}`, topic && `on ${topic}`].filter(Boolean).join(' ');
  const failed = outcome === 'failed';
  return h(
    'li',
    { class: `step ${failed ? 'step-failed' : ''}`, title: `Message ${messageId}` },
    h('time', { class: 'quiet number-text', datetime: time }, exactClock(time)),
    h('span', { class: 'step-kind' }, kindNames[kind] ?? capital(kind)),
    h('span', { class: 'step-name' }, name, where !== '' && h('span', { class: 'quiet' }, ` ${where}`)),
    h(
      'span',
      { class: 'step-result' },
      failed ? 'Failed' : 'Done',
      durationMs !== undefined && durationMs >= 1 && ` in ${Math.round(durationMs)} ms`,
      attempt !== undefined && attempt > 1 && `, attempt ${attempt}`,
    ),
    error && h('span', { class: 'step-error' }, error),
  );
}
