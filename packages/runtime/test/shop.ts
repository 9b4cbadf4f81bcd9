import { defineEvents, type StandardSchemaV1 } from '@bento-bus/core';
import { Aggregate, type EventsOf } from '@bento-bus/eventsourcing';

const trusted = <T>(): StandardSchemaV1<T> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
});

export const orderEvents = defineEvents(
  { topic: 'orders' },
  {
    'order.placed': {
      version: 1,
      schema: trusted<{ orderId: string; country: string }>(),
      key: (data) => data.country,
    },
  },
);

/** An order that can be placed once. */
export class Order extends Aggregate<typeof orderEvents> {
  static readonly streamType = 'order';
  static readonly events = orderEvents;
  #placed = false;

  place(country: string): void {
    if (this.#placed) return;
    this.record(orderEvents['order.placed'], { orderId: this.id, country }, { id: `placed-${this.id}` });
  }

  protected apply(_event: EventsOf<typeof orderEvents>): void {
    this.#placed = true;
  }
}
