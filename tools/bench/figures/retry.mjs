// What `retry` costs a message that succeeds: the same bus with and without it.
import { direct, openSides } from '../bus-side.mjs';

const figure = {
  name: 'retry/of-what-succeeds',
  what: 'publish through MessageBus and the in-memory transport, 100 at a time, until all are handled, with `use: [retry()]`; reference: the same without',
  target: 0.9,
  async open() {
    const { retry } = await import('@bento-bus/dlq');
    const retried = (bus, definition, handler, options) =>
      direct(bus, definition, handler, { ...options, use: [retry()] });
    return openSides({ total: '59.70' }, retried, direct);
  },
};

export const retryCost = [figure];
