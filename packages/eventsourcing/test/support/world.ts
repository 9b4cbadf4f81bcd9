// A store with orders in it, read models, and what the relay would publish.
import {
  type Delivery,
  type EventStore,
  headerNames,
  type NewEvent,
  type ReadModelStore,
  type StoredEvent,
  silentLogger,
} from '@bento-bus/core';
import { createInMemoryEventStore, createInMemoryReadModels } from '../../src/index.ts';
import { messageOf } from '../../src/relay-message.ts';
import { jsonCodec } from './log-backend.ts';
import { orderEvents, orderLines, orders } from './orders.ts';

export const placed = (orderId: string, amounts: readonly string[] = ['1.50', '2']): NewEvent => ({
  id: `${orderId}-placed`,
  type: 'order.placed',
  version: 2,
  time: 1_000,
  data: { orderId, country: 'France', lines: amounts.map((amount, index) => ({ sku: `sku-${index}`, amount })) },
});
let notes = 0;
export const noted = (text: string): NewEvent => {
  notes += 1;
  return { id: `note-${notes}`, type: 'order.noted', version: 1, time: 1_000, data: { text } };
};
export const shipped = (orderId: string): NewEvent => ({
  id: `${orderId}-shipped`,
  type: 'order.shipped',
  version: 1,
  time: 1_000,
  data: { orderId, tracking: 'T1' },
});

export class World {
  readonly store: EventStore = createInMemoryEventStore();
  readonly readModels: ReadModelStore = createInMemoryReadModels();
  readonly #versions = new Map<string, number>();

  /** Appends to an order's stream; resolves with the events as stored. */
  async append(orderId: string, ...events: readonly NewEvent[]): Promise<StoredEvent[]> {
    const version = this.#versions.get(orderId) ?? 0;
    const head = await this.store.head();
    await this.store.saveEvents({ type: 'order', id: orderId }, events, version);
    this.#versions.set(orderId, version + events.length);
    return this.events(head);
  }

  async events(after = ''): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for await (const event of this.store.readAll(after)) events.push(event);
    return events;
  }

  /** Everything that a query can see. */
  async rows(readModels: ReadModelStore = this.readModels): Promise<{ orders: unknown[]; lines: unknown[] }> {
    return {
      orders: await readModels.find(orders, { limit: 10_000 }),
      lines: await readModels.find(orderLines, { limit: 10_000 }),
    };
  }
}

/** The delivery that a transport makes of an event. */
export async function deliveryOf(event: StoredEvent): Promise<Delivery> {
  const definition = Object.values(orderEvents).find(({ type }) => type === event.type);
  if (!definition) throw new Error(`no definition of "${event.type}"`);
  const message = await messageOf(event, definition, {
    codec: jsonCodec,
    source: '/orders',
    log: 'any',
    logger: silentLogger,
  });
  // Which store it is of, the tests do not say.
  const { [headerNames.log]: _, ...headers } = message.headers;
  return { topic: definition.topic, message: { ...message, headers }, attempt: 1, position: event.position };
}
