// MessageBus over the transport in memory against the least one could write with an EventEmitter and JSON.
import { EventEmitter } from 'node:events';
import { busSide, direct, inWindows } from '../bus-side.mjs';

const order = {
  orderId: 'o-1',
  customerId: 'c-1',
  country: 'France',
  placedAt: '2026-11-21T08:00:00.000Z',
  total: '59.70',
  lines: [
    { sku: '85123A', quantity: 6, price: '2.55' },
    { sku: '71053', quantity: 6, price: '3.39' },
    { sku: '84406B', quantity: 8, price: '3.00' },
  ],
};
const figure = {
  name: 'message-bus/publish-to-handled',
  what: 'publish a typed order through MessageBus, JSON codec and the in-memory transport, 100 at a time, until all are handled; reference: EventEmitter + JSON, which has no groups, order per key or redelivery',
  target: 0.05,
  async open() {
    const side = await busSide(order, direct);
    const emitter = new EventEmitter();
    const { handler, run: reference } = inWindows(order, async (data) =>
      emitter.emit('placed', Buffer.from(JSON.stringify(data))),
    );
    emitter.on('placed', (body) => {
      void handler({ data: JSON.parse(body.toString()) });
    });
    return { ours: side.run, reference, close: () => side.close() };
  },
};

export const messageBus = [figure];
