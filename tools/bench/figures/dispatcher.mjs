// What a dispatcher between the bus and its handlers costs: the same subscription with and without it, on the transport in memory.
import { direct, openSides, window } from '../bus-side.mjs';

const order = { orderId: 'o-1', customerId: 'c-1', total: '59.70' };

const figure = (name, what, target, options) => ({
  name: `dispatcher/${name}`,
  what: `publish an order to a dispatcher's handler ${what}, 100 at a time, until all are handled; reference: the handler on the bus itself`,
  target,
  // Whole windows on both sides.
  sampling: { operations: 20 * window, rounds: 61 },
  async open() {
    const { createDispatcher } = await import('@bento-bus/dispatcher');
    const dispatched = (bus, definition, handler, given) =>
      createDispatcher(options).on(definition, handler).subscribe(bus, given);
    return openSides(order, dispatched, direct);
  },
});

export const dispatcher = [
  figure('one-handler', 'that refuses unknown types', 0.9, { unknown: 'fail' }),
  figure('time-limit', 'with a time limit', 0.5, { timeoutMs: 10_000 }),
];
