import { setTimeout as delay } from 'node:timers/promises';
import type { EventStore, ReadModelPort, StoredEvent } from '@bento-bus/core';
import { GetOrder, type OrderDetails } from '../application/queries.ts';
import { Order } from '../domain/order.ts';
import type { OrderApp } from '../order-app.ts';
import { orders } from '../read-model/models.ts';
import { HttpProblem } from './problems.ts';

/** Longest wait for the read model. Milliseconds. */
const patienceMs = 5_000;
/** The first look comes soon; a read model that is behind is not asked more often than this. Milliseconds. */
const longestPauseMs = 100;

/** Events of one order, ascending; empty: there is none. */
export async function eventsOfOrder(store: EventStore, orderId: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of store.getEvents({ type: Order.streamType, id: orderId })) events.push(event);
  return events;
}

/** The order once the read model has all of its events as of now, with all that the caller has committed. */
export async function committedOrder({ parts, queries }: OrderApp, orderId: string): Promise<OrderDetails> {
  const { eventStore, readModels } = parts.clickhouse;
  const events = await eventsOfOrder(eventStore, orderId);
  const version = events.at(-1)?.streamVersion ?? 0;
  if (await hasRow(readModels, orderId, version)) {
    const order = await queries.execute(new GetOrder(orderId));
    if (order !== undefined) return order;
  }
  throw new HttpProblem(
    503,
    `The command is carried out, and the read model does not show it yet. Ask for order "${orderId}" again; /health/ready says what is wrong.`,
    'read-model-behind',
  );
}

async function hasRow(readModels: ReadModelPort, orderId: string, version: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  for (let pause = 20; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const [found] = await readModels.get(orders, [{ orderId }]);
    if (found !== undefined && found.streamVersion >= version) return true;
    if (performance.now() >= deadline) return false;
    await delay(pause);
  }
}
