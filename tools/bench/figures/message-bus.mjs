// MessageBus over the transport in memory against the least one could write with an EventEmitter and JSON.
import { EventEmitter } from 'node:events';
import { anything } from './schema.mjs';

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
/** Published before the first one of them must have been handled. */
const window = 100;

const figure = {
  name: 'message-bus/publish-to-handled',
  what: 'publish a typed order through MessageBus, JSON codec and the in-memory transport, 100 at a time, until all are handled; reference: EventEmitter + JSON, which has no groups, order per key or redelivery',
  target: 0.05,
  async open() {
    const [{ createInProcessTransport }, { createJsonCodec }, { createMessageBus, defineEvents }] = await Promise.all([
      import('@bento-bus/inprocess-bus'),
      import('@bento-bus/codecs'),
      import('@bento-bus/core'),
    ]);
    const { placed } = defineEvents(
      { topic: 'orders' },
      { placed: { version: 1, schema: anything, key: (data) => data.orderId } },
    );
    const transport = createInProcessTransport();
    const bus = createMessageBus({ transport, codec: createJsonCodec(), source: 'bench' });
    let left = 0;
    let done;
    const handler = async (event) => {
      if (event.data.lines.length === 3 && (left -= 1) === 0) done();
    };
    await bus.subscribe([placed], handler, { group: 'bench', concurrency: 16 });

    const emitter = new EventEmitter();
    emitter.on('placed', (body) => {
      void handler({ data: JSON.parse(body.toString()) });
    });

    const inWindows = (publish) => async (operations) => {
      for (let published = 0; published < operations; published += window) {
        const size = Math.min(window, operations - published);
        left = size;
        const handled = new Promise((settle) => {
          done = settle;
        });
        await Promise.all(Array.from({ length: size }, (_, i) => publish({ ...order, orderId: `o-${i}` })));
        await handled;
      }
    };
    return {
      ours: inWindows((data) => bus.publish(placed, data)),
      reference: inWindows(async (data) => emitter.emit('placed', Buffer.from(JSON.stringify(data)))),
      async close() {
        await bus.close();
        await transport.close();
      },
    };
  },
};

export const messageBus = [figure];
