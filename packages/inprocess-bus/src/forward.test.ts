import {
  type Codec,
  createMessageBus,
  defineEvents,
  type EventPublisherPort,
  type StandardSchemaV1,
} from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { closeTransports, create, settled, until } from '../test/support.ts';
import { createEventBus } from './event-bus.ts';
import { forward } from './forward.ts';

const schemaOf = <Input, Output>(): StandardSchemaV1<Input, Output> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Output }) },
});
const catalogue = defineEvents(
  { topic: 'orders' },
  {
    'order.placed': { version: 1, schema: schemaOf<{ orderId: string }, { orderId: string }>() },
    'order.paid': { version: 1, schema: schemaOf<{ orderId: string }, { orderId: string }>() },
    'order.timed': { version: 1, schema: schemaOf<{ at: string }, { at: Date }>() },
  },
);

const codec: Codec = {
  contentType: 'application/json',
  encode: (value) => ({ body: Buffer.from(JSON.stringify(value)) }),
  decode: (body) => JSON.parse(Buffer.from(body).toString()) as unknown,
};

afterEach(closeTransports);

describe('forwarding events', () => {
  it('publishes to a backend, from which other services get each event once and in order', async () => {
    const transport = create();
    const bus = createMessageBus({ transport, codec, source: '/shop' });
    const seen: string[] = [];
    const handler = ({ type, data }: { readonly type: string; readonly data: { readonly orderId: string } }): void =>
      void seen.push(`${type} ${data.orderId}`);
    await bus.subscribe([catalogue['order.placed'], catalogue['order.paid']], handler, { group: 'mail' });
    const events = createEventBus();
    const end = forward(events, bus, [catalogue['order.placed'], catalogue['order.paid']]);
    const orders = Array.from({ length: 20 }, (_, index) => ({ orderId: `o-${index}` }));
    // None is waited for before the next.
    const publishing = orders.flatMap((order) => [
      events.publish(catalogue['order.placed'], order),
      events.publish(catalogue['order.paid'], order),
    ]);
    for (const one of publishing) await one;
    await until(() => seen.length >= 40, 'handling all events');
    expect(seen).toEqual(orders.flatMap(({ orderId }) => [`order.placed ${orderId}`, `order.paid ${orderId}`]));
    end();
    await transport.close();
    // Nobody is there to fail it.
    await events.publish(catalogue['order.placed'], { orderId: 'o-20' });
  });

  it('fails the publish when the backend is closed', async () => {
    const transport = create();
    const events = createEventBus();
    forward(events, createMessageBus({ transport, codec, source: '/shop' }), [catalogue['order.placed']]);
    await transport.close();
    const publishing = events.publish(catalogue['order.placed'], { orderId: 'o-1' });
    await expect(publishing).rejects.toMatchObject({ code: 'HANDLER', cause: { code: 'CLOSED' } });
  });

  it('publishes the events it was given until it is ended, and resolves with the publisher', async () => {
    const events = createEventBus();
    const published: unknown[] = [];
    const stores: (() => void)[] = [];
    const publisher: EventPublisherPort = {
      publish: (definition: unknown, data: unknown) => {
        published.push([definition, data]);
        return new Promise<void>((resolve) => void stores.push(resolve));
      },
    };
    const end = forward(events, publisher, [catalogue['order.placed']]);
    let done = false;
    const publish = async (): Promise<void> => {
      await events.publish(catalogue['order.placed'], { orderId: 'o-1' });
      done = true;
    };
    const publishing = publish();
    await settled();
    expect(done).toBe(false);
    for (const store of stores) store();
    await publishing;
    await events.publish(catalogue['order.paid'], { orderId: 'o-1' });
    end();
    await events.publish(catalogue['order.placed'], { orderId: 'o-2' });
    expect(published).toEqual([[catalogue['order.placed'], { orderId: 'o-1' }]]);
  });

  it('fails the publish when the backend has not stored the event', async () => {
    const events = createEventBus();
    forward(events, { publish: () => Promise.reject(new Error('down')) }, [catalogue['order.placed']]);
    await expect(events.publish(catalogue['order.placed'], { orderId: 'o-1' })).rejects.toMatchObject({
      code: 'HANDLER',
    });
  });

  it('does not take definitions whose data changes on the way', () => {
    // @ts-expect-error -- handlers get a Date, and a string is what is published
    const end = forward(createEventBus(), { publish: async () => {} }, [catalogue['order.timed']]);
    expect(end).not.toThrow();
  });
});
