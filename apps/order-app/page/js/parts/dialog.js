import { h } from '../dom.js';

/**
 * @typedef {{ title: string, text?: string, confirm: string, danger?: boolean, field?: { label: string, longest: number } }} Question
 */

/**
 * Asks before something is done. Gives undefined when it is not to be done (also by Escape), else what was typed:
 * `''` where there is no `field`. Focus goes into the dialog and comes back to where it was.
 * @param {Question} question
 * @returns {Promise<string | undefined>}
 */
export function ask({ title, text, confirm, danger = false, field }) {
  const input =
    field &&
    h('input', { id: 'dialog-field', name: 'value', autocomplete: 'off', maxlength: field.longest, autofocus: true });
  /** @type {HTMLDialogElement} */
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title', 'aria-describedby': text && 'dialog-text' },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title' }, title),
      text && h('p', { id: 'dialog-text' }, text),
      field && h('div', { class: 'field' }, h('label', { for: 'dialog-field' }, field.label), input),
      h(
        'div',
        { class: 'dialog-buttons' },
        // The first button is the one that Enter presses.
        h('button', { class: danger ? 'danger' : 'primary', value: 'yes', autofocus: !field && !danger }, confirm),
        h('button', { type: 'button', autofocus: danger, on: { click: () => dialog.close() } }, 'Not now'),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  // What it asks about is not shown any more.
  const leave = () => dialog.close();
  addEventListener('hashchange', leave);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      removeEventListener('hashchange', leave);
      dialog.remove();
      resolve(dialog.returnValue === 'yes' ? (input?.value.trim() ?? '') : undefined);
    });
  });
}
