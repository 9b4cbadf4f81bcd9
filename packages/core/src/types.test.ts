import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { orderEvents } from '../test/catalogue.ts';
import { json } from '../test/json.ts';
import { createTinyTransport } from '../test/tiny-transport.ts';
import {
  type BatchItem,
  type BusEvent,
  createMessageBus,
  defineEvents,
  type EventOf,
  type EventPublisherPort,
  type MessageBus,
} from './index.ts';

/** Compiles only where both types are the same. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the known way to ask whether two types are the same
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(..._proof: Same<A, B> extends true ? [] : ['the types differ']): void => {};

interface Placed {
  orderId: string;
  total: string;
  placedAt?: Date | undefined;
  channel: string;
}

/** Checked by the compiler (`tsc -b` includes the tests): each expected error that does not come is an error itself. */
async function thingsThatDoNotCompile(bus: MessageBus, publisher: EventPublisherPort): Promise<void> {
  await bus.publish(orderEvents['order.shipped'], { orderId: 'o1' });
  // @ts-expect-error -- a field is missing
  await bus.publish(orderEvents['order.shipped'], {});
  // @ts-expect-error -- a field has another type
  await bus.publish(orderEvents['order.shipped'], { orderId: 1 });
  // @ts-expect-error -- a field too many
  await bus.publish(orderEvents['order.shipped'], { orderId: 'o1', color: 'red' });
  // @ts-expect-error -- the payload of another event
  await publisher.publish(orderEvents['order.placed'], { name: 'Ann' });
  // @ts-expect-error -- no such event
  await bus.publish(orderEvents['order.lost'], { orderId: 'o1' });
  // @ts-expect-error -- the type of a definition is not for the publisher to say
  await bus.publish(orderEvents['order.shipped'], { orderId: 'o1' }, { type: 'order.placed' });
  // The input, not the output: the default may be left out, the date may be a text.
  await bus.publish(orderEvents['order.placed'], { orderId: 'o1', total: '1.00', placedAt: '2026-11-21' });
  await bus.publish(orderEvents['customer.renamed'], { name: 'Ann' });
  await bus.publish('legacy', { anything: 1 }, { type: 'legacy.happened', version: 2 });

  await bus.subscribe(
    [orderEvents['order.placed'], orderEvents['order.shipped']],
    (event) => {
      same<typeof event, BusEvent<'order.placed', Placed> | BusEvent<'order.shipped', { orderId: string }>>();
      // @ts-expect-error -- not every event has it
      void event.data.total;
      if (event.type === 'order.placed') same<typeof event.data, Placed>();
      // @ts-expect-error -- nobody asked for that type
      if (event.type === 'customer.renamed') return;
    },
    { group: 'g' },
  );
  await bus.subscribe(
    [orderEvents['customer.renamed']],
    ({ data }) => same<typeof data, { name: string; length: number }>(),
    { group: 'g' },
  );
  await bus.subscribe('legacy', ({ data, type }) => (same<typeof data, unknown>(), same<typeof type, string>()), {
    group: 'g',
  });
  await bus.subscribeBatch(
    [orderEvents['order.placed'], orderEvents['order.shipped']],
    (batch) => {
      const [first] = batch;
      if (first?.event.type === 'order.placed') same<typeof first.event.data, Placed>();
      same<typeof first, BatchItem<EventOf<(typeof orderEvents)['order.placed' | 'order.shipped']>> | undefined>();
      return batch.map(() => ({ ok: true }));
    },
    { group: 'g', size: 10, waitMs: 5 },
  );
  // @ts-expect-error -- a batch has a size
  await bus.subscribeBatch([orderEvents['order.placed']], () => {}, { group: 'g', waitMs: 5 });
  // @ts-expect-error -- a group is needed
  await bus.subscribe('legacy', () => {}, {});
  // @ts-expect-error -- the key is made of the schema's output
  defineEvents({ topic: 't' }, { e: { version: 1, schema: z.object({ id: z.number() }), key: ({ id }) => id } });
  // @ts-expect-error -- a schema is needed
  defineEvents({ topic: 't' }, { e: { version: 1 } });
}

describe('types of events', () => {
  it('come from the schemas, zod or by hand', () => {
    same<EventOf<(typeof orderEvents)['order.placed']>, BusEvent<'order.placed', Placed>>();
    same<
      EventOf<(typeof orderEvents)['customer.renamed']>,
      BusEvent<'customer.renamed', { name: string; length: number }>
    >();
    // @ts-expect-error -- the proof itself fails for other types
    same<EventOf<(typeof orderEvents)['order.shipped']>, BusEvent<'order.shipped', { orderId: number }>>();
    expect(thingsThatDoNotCompile).toBeInstanceOf(Function);
  });

  it('let a bus be handed on as its publish half', () => {
    const bus: EventPublisherPort = createMessageBus({ transport: createTinyTransport(), codec: json, source: 's' });
    expect(bus.publish).toBeInstanceOf(Function);
  });
});
