import { defineEvents, type EventPublisherPort, type StandardSchemaV1 } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { settled } from '../test/support.ts';
import { createEventBus } from './event-bus.ts';
import { forwardEvents } from './forward-events.ts';

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

describe('forwarding events', () => {
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
    const end = forwardEvents(events, publisher, [catalogue['order.placed']]);
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
    forwardEvents(events, { publish: () => Promise.reject(new Error('down')) }, [catalogue['order.placed']]);
    await expect(events.publish(catalogue['order.placed'], { orderId: 'o-1' })).rejects.toMatchObject({
      code: 'HANDLER',
    });
  });

  it('does not take definitions whose data changes on the way', () => {
    // @ts-expect-error -- handlers get a Date, and a string is what is published
    const end = forwardEvents(createEventBus(), { publish: async () => {} }, [catalogue['order.timed']]);
    expect(end).not.toThrow();
  });
});
