/** @import { Child } from "../dom.js" */
import { h, replace } from '../dom.js';

/** A place for what went wrong, beside what failed. Empty, it takes no room; filled, it is read out at once. */
export function alertPlace() {
  const element = h('div', { class: 'alert', role: 'alert', hidden: true });
  return {
    element,
    /** With a button to try again where `retry` is given. @param {string} text @param {() => unknown} [retry] */
    show(text, retry) {
      element.hidden = false;
      replace(
        element,
        h('p', {}, text),
        retry && h('button', { type: 'button', class: 'small', on: { click: retry } }, 'Try again'),
      );
    },
    clear() {
      element.hidden = true;
      replace(element);
    },
  };
}

/** What a place says while it is empty. @param {string} title @param {...Child} text */
export const emptyState = (title, ...text) =>
  h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), text);

/** @type {Record<string, string>} */
const statusNames = {
  placed: 'Placed',
  paid: 'Paid',
  shipped: 'Shipped',
  cancelled: 'Cancelled',
  refunded: 'Refunded',
};
export const statuses = Object.keys(statusNames);
/** @param {string} status */
export const statusName = (status) => statusNames[status] ?? status;

/** Colour says nothing that the word does not say. @param {string} status */
export const statusChip = (status) => h('span', { class: `chip chip-${status}` }, statusName(status));

/** @param {string} what */
export const loading = (what) => h('p', { class: 'loading', role: 'status' }, `Loading ${what}…`);
