// EventBus against node:events, with handlers that do next to nothing, so that the bus itself is what is measured.
import { EventEmitter } from 'node:events';
import { anything } from './schema.mjs';

const data = { orderId: 'o-1' };

async function makeBus(handlers, makeHandler) {
  const [{ createEventBus }, { defineEvents }] = await Promise.all([
    import('@bento-bus/inprocess-bus'),
    import('@bento-bus/core'),
  ]);
  const { placed } = defineEvents({ topic: 'orders' }, { placed: { version: 1, schema: anything } });
  const bus = createEventBus();
  const emitter = new EventEmitter();
  for (let i = 0; i < handlers; i += 1) {
    bus.subscribe(placed, makeHandler());
    emitter.on('placed', makeHandler());
  }
  return { bus, emitter, placed };
}

let handled = 0;
const syncHandler = () => (value) => {
  if (value === data) handled += 1;
};
const asyncHandler = () => async (value) => {
  if (value === data) handled += 1;
};

const sync = (handlers) => ({
  name: `event-bus/sync-${handlers}`,
  what: `publish to ${handlers} synchronous handler${handlers === 1 ? '' : 's'}; reference: EventEmitter.emit`,
  target: 1,
  async open() {
    const { bus, emitter, placed } = await makeBus(handlers, syncHandler);
    return {
      ours(operations) {
        for (let i = 0; i < operations; i += 1) void bus.publish(placed, data);
      },
      reference(operations) {
        for (let i = 0; i < operations; i += 1) emitter.emit('placed', data);
      },
    };
  },
});

const async = (handlers, target) => ({
  name: `event-bus/async-${handlers}`,
  what: `publish to ${handlers} async handler${handlers === 1 ? '' : 's'}, awaited; reference: Promise.all over an EventEmitter's listeners`,
  target,
  async open() {
    const { bus, emitter, placed } = await makeBus(handlers, asyncHandler);
    return {
      async ours(operations) {
        for (let i = 0; i < operations; i += 1) await bus.publish(placed, data);
      },
      async reference(operations) {
        // An EventEmitter does not wait by itself; this is what one writes to make it.
        for (let i = 0; i < operations; i += 1) {
          await Promise.all(emitter.listeners('placed').map((listener) => listener(data)));
        }
      },
    };
  },
});

export const eventBus = [sync(1), sync(10), async(1, 1), async(10, 0.9)];
