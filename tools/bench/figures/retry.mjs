// What `retry` costs a message that succeeds: the same bus with and without it.
import { anything } from './schema.mjs';

/** Published before the first one of them must have been handled. */
const window = 100;

const figure = {
  name: 'retry/of-what-succeeds',
  what: 'publish through MessageBus and the in-memory transport, 100 at a time, until all are handled, with `use: [retry()]`; reference: the same without',
  target: 0.9,
  async open() {
    const [{ createInProcessTransport }, { createJsonCodec }, { createMessageBus, defineEvents }, { retry }] =
      await Promise.all([
        import('@bento-bus/inprocess-bus'),
        import('@bento-bus/codecs'),
        import('@bento-bus/core'),
        import('@bento-bus/dlq'),
      ]);
    const { placed } = defineEvents(
      { topic: 'orders' },
      { placed: { version: 1, schema: anything, key: (data) => data.orderId } },
    );
    const sideOf = async (use) => {
      const transport = createInProcessTransport();
      const bus = createMessageBus({ transport, codec: createJsonCodec(), source: 'bench' });
      let left = 0;
      let done;
      const handler = async () => {
        if ((left -= 1) === 0) done();
      };
      await bus.subscribe([placed], handler, { group: 'bench', concurrency: 16, use });
      return {
        run: async (operations) => {
          for (let published = 0; published < operations; published += window) {
            const size = Math.min(window, operations - published);
            left = size;
            const handled = new Promise((settle) => {
              done = settle;
            });
            await Promise.all(Array.from({ length: size }, (_, i) => bus.publish(placed, { orderId: `o-${i}` })));
            await handled;
          }
        },
        close: async () => {
          await bus.close();
          await transport.close();
        },
      };
    };
    const [ours, plain] = [await sideOf([retry()]), await sideOf([])];
    return {
      ours: ours.run,
      reference: plain.run,
      close: async () => {
        await ours.close();
        await plain.close();
      },
    };
  },
};

export const retryCost = [figure];
