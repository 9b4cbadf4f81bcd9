/** @typedef {ReturnType<typeof fieldOf>} Field */
/** @typedef {ReturnType<typeof orderLine>} Line */

import { h, setText } from '../dom.js';
import { unseen } from '../parts/table.js';

/**
 * A labelled text field with a place for what is wrong with it. `id` is the path by which the server names it.
 * @param {{
 *   id: string, label: string, hint?: string, required?: boolean,
 *   inputmode?: string, list?: string, autocomplete?: string, changed?: () => void,
 * }} what
 */
export function fieldOf({ id, label, hint, required = false, inputmode, list, autocomplete = 'off', changed }) {
  const input = h('input', {
    id,
    inputmode,
    list,
    autocomplete,
    'aria-required': required ? 'true' : undefined,
    on: changed && { input: changed },
  });
  const caption = h('label', { for: id }, label, !required && h('span', { class: 'quiet' }, ' (optional)'));
  const hintText = hint && h('p', { class: 'hint' }, hint);
  const faultText = h('p', { class: 'fault', hidden: true });
  /** @type {string | undefined} */
  let told;
  const field = {
    input,
    element: h('div', { class: 'field' }, caption, input, hintText, faultText),
    name: () => label,
    /** @param {string} path */
    rename(path) {
      input.id = path;
      caption.htmlFor = path;
      if (hintText) hintText.id = `${path}-hint`;
      faultText.id = `${path}-fault`;
      field.fault(told);
    },
    /** Undefined: nothing is wrong. @param {string} [message] */
    fault(message) {
      told = message;
      faultText.hidden = message === undefined;
      setText(faultText, message ?? '');
      if (message === undefined) input.removeAttribute('aria-invalid');
      else input.setAttribute('aria-invalid', 'true');
      const described = [hintText && `${input.id}-hint`, message !== undefined && `${input.id}-fault`]
        .filter(Boolean)
        .join(' ');
      if (described === '') input.removeAttribute('aria-describedby');
      else input.setAttribute('aria-describedby', described);
    },
  };
  field.rename(id);
  return field;
}

/** One line of the form. @param {{ remove: () => void, changed: () => void }} what */
export function orderLine({ remove, changed }) {
  const sku = fieldOf({ id: 'sku', label: 'Article', required: true });
  const description = fieldOf({ id: 'description', label: 'Description' });
  const quantity = fieldOf({ id: 'quantity', label: 'Quantity', required: true, inputmode: 'numeric', changed });
  const unitPrice = fieldOf({ id: 'unitPrice', label: 'Unit price', required: true, inputmode: 'decimal', changed });
  quantity.input.value = '1';
  const parts = { sku, description, quantity, unitPrice };
  const legend = h('legend');
  const drop = h('button', { type: 'button', class: 'small', on: { click: remove } });
  const typed = () => ({ quantity: quantity.input.value.trim(), unitPrice: unitPrice.input.value.trim() });
  let at = 0;
  for (const field of Object.values(parts)) {
    const own = field.name();
    field.name = () => `Line ${at + 1}, ${own.toLowerCase()}`;
  }
  return {
    fields: Object.values(parts),
    quantity,
    element: h(
      'li',
      {},
      h(
        'fieldset',
        { class: 'form-line' },
        legend,
        Object.values(parts).map(({ element }) => element),
        h('div', { class: 'form-drop' }, drop),
      ),
    ),
    /** Its place among the lines; an order keeps one at least. @param {number} i @param {boolean} removable */
    number(i, removable) {
      at = i;
      setText(legend, `Line ${i + 1}`);
      drop.replaceChildren('Remove', unseen(` line ${i + 1}`));
      drop.hidden = !removable;
      for (const [name, field] of Object.entries(parts)) field.rename(`lines[${i}].${name}`);
    },
    typed,
    value: () => ({
      sku: sku.input.value.trim(),
      description: description.input.value.trim(),
      quantity: Number(quantity.input.value.trim()),
      unitPrice: unitPrice.input.value.trim(),
    }),
    focus: () => sku.input.focus(),
  };
}
