// One side of a figure: orders through a MessageBus over the transport in memory, 100 at a time, until all are handled.
import { anything } from './figures/schema.mjs';

/** Published before the first one of them must have been handled. */
export const window = 100;

/**
 * `subscribe(bus, definition, handler, options)`: how the handler is put in place. `run(operations)` publishes so many of them; each is
 * checked to have come whole.
 */
export async function busSide(order, subscribe) {
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
  const { handler, run } = inWindows(order, (data) => bus.publish(placed, data));
  await subscribe(bus, placed, handler, { group: 'bench', concurrency: 16 });
  return {
    run,
    close: async () => {
      await bus.close();
      await transport.close();
    },
  };
}

/** A handler, and what publishes to it in windows until it has had all of each. */
export function inWindows(order, publish) {
  let left = 0;
  let done;
  return {
    handler: async (event) => {
      if (event.data.total === order.total && (left -= 1) === 0) done();
    },
    run: async (operations) => {
      for (let published = 0; published < operations; published += window) {
        const size = Math.min(window, operations - published);
        left = size;
        const handled = new Promise((settle) => {
          done = settle;
        });
        await Promise.all(Array.from({ length: size }, (_, i) => publish({ ...order, orderId: `o-${i}` })));
        await handled;
      }
    },
  };
}

/** A figure of two such sides. */
export async function openSides(order, ours, reference) {
  const [first, second] = [await busSide(order, ours), await busSide(order, reference)];
  return {
    ours: first.run,
    reference: second.run,
    close: async () => {
      await first.close();
      await second.close();
    },
  };
}

/** The handler on the bus itself. */
export const direct = (bus, definition, handler, options) => bus.subscribe([definition], handler, options);
