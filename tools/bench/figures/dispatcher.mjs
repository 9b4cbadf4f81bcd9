// What a dispatcher between the bus and its handlers costs: the same subscription with and without it, on the transport in memory.
import { anything } from './schema.mjs';

const order = { orderId: 'o-1', customerId: 'c-1', total: '59.70' };
/** Published before the first one of them must have been handled. */
const window = 100;

async function side(subscribe) {
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
    if (event.data.total === order.total && (left -= 1) === 0) done();
  };
  await subscribe(bus, placed, handler, { group: 'bench', concurrency: 16 });
  return {
    run: async (operations) => {
      for (let published = 0; published < operations; published += window) {
        const size = Math.min(window, operations - published);
        left = size;
        const handled = new Promise((settle) => {
          done = settle;
        });
        await Promise.all(Array.from({ length: size }, (_, i) => bus.publish(placed, { ...order, orderId: `o-${i}` })));
        await handled;
      }
    },
    async close() {
      await bus.close();
      await transport.close();
    },
  };
}

const figure = (name, what, target, options) => ({
  name: `dispatcher/${name}`,
  what: `publish an order to a dispatcher's handler ${what}, 100 at a time, until all are handled; reference: the handler on the bus itself`,
  target,
  // Whole windows on both sides.
  sampling: { operations: 20 * window, rounds: 61 },
  async open() {
    const { createDispatcher } = await import('@bento-bus/dispatcher');
    const dispatched = await side((bus, definition, handler, given) =>
      createDispatcher(options).on(definition, handler).subscribe(bus, given),
    );
    const direct = await side((bus, definition, handler, given) => bus.subscribe([definition], handler, given));
    return {
      ours: dispatched.run,
      reference: direct.run,
      async close() {
        await dispatched.close();
        await direct.close();
      },
    };
  },
});

export const dispatcher = [
  figure('one-handler', 'that refuses unknown types', 0.9, { unknown: 'fail' }),
  figure('time-limit', 'with a time limit', 0.5, { timeoutMs: 10_000 }),
];
