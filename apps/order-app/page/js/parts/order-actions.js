/** @import { OrderSummary } from "../types.ts" */
import { orderPath, send } from '../api.js';
import { ask } from './dialog.js';

/** @typedef {'pay' | 'ship' | 'cancel' | 'refund'} Action */

/**
 * What can be done to an order, by name. `body` asks what it needs; undefined: it is not to be done.
 * @type {Record<Action, { label: string, done: string, danger?: true, body(order: OrderSummary): Promise<object | undefined> }>}
 */
const actions = {
  pay: { label: 'Pay', done: 'It is paid.', body: async () => ({}) },
  ship: {
    label: 'Ship',
    done: 'It is shipped.',
    body: async ({ orderId }) => {
      const tracking = await ask({
        title: `Ship order ${orderId}`,
        text: 'The customer is told that it is on its way.',
        confirm: 'Ship order',
        field: { label: 'Tracking number (optional)', longest: 200 },
      });
      return tracking === undefined ? undefined : { tracking };
    },
  },
  cancel: {
    label: 'Cancel order',
    done: 'It is cancelled.',
    danger: true,
    body: async ({ orderId }) => {
      const reason = await ask({
        title: `Cancel order ${orderId}`,
        text: 'A cancelled order cannot be shipped any more, and brings no revenue.',
        confirm: 'Cancel order',
        danger: true,
        field: { label: 'Reason (optional)', longest: 1000 },
      });
      return reason === undefined ? undefined : { reason };
    },
  },
  refund: {
    label: 'Refund',
    done: 'It is refunded in full.',
    danger: true,
    body: async ({ orderId }) => {
      const sure = await ask({
        title: `Refund order ${orderId}`,
        text: 'The whole amount is paid back. This cannot be undone.',
        confirm: 'Refund order',
        danger: true,
      });
      return sure === undefined ? undefined : {};
    },
  },
};

/** @type {Record<string, Action[]>} */
const names = {
  placed: ['pay', 'cancel'],
  paid: ['ship', 'refund', 'cancel'],
  shipped: ['refund'],
  refunded: [],
};

/**
 * Names of what the status allows, the usual next step first. A cancelled order is refunded only where it had been paid.
 * @param {string} status
 * @param {boolean} wasPaid
 * @returns {Action[]}
 */
export const actionsOf = (status, wasPaid) =>
  status === 'cancelled' ? (wasPaid ? ['refund'] : []) : (names[status] ?? []);

/** @param {Action} action */
export const labelOf = (action) => actions[action].label;
/** @param {Action} action */
export const isDanger = (action) => actions[action].danger === true;
/** @param {Action} action */
export const sentenceOf = (action) => actions[action].done;

/**
 * Does it, after asking what there is to ask. Gives the order as it is then; undefined: it was not to be done.
 * @param {Action} action
 * @param {OrderSummary} order
 */
export async function perform(action, order) {
  const body = await actions[action].body(order);
  return body === undefined ? undefined : send(`${orderPath(order.orderId)}/${action}`, body);
}
