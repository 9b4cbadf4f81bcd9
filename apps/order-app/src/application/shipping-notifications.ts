import type { BusSubscription, MessageBus, Middleware } from '@bento-bus/core';
import { orderEvents } from '../domain/events.ts';

/** That an order is on its way. */
export interface ShippingNotification {
  /** Of the event: a notification that is repeated after a crash has the same. */
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly country: string;
  readonly tracking: string;
  /** When the order was shipped. Epoch milliseconds. */
  readonly shippedAt: number;
}

/** Port: tells the customer. Resolves once the notification survives a crash. */
export interface Notifier {
  notify(notification: ShippingNotification): Promise<void>;
}

/** The durable group of the notifications. */
export const shippingNotifications = 'shipping-notifications';

/**
 * Notifies of each order shipped, in a durable group of its own. The group begins at `'latest'`: what was shipped before this handler
 * came into being is not told again. A crash repeats at most the notification that was on its way. Middleware is put around what the
 * group is for, and leaves the other events of an order alone.
 */
export const subscribeShippingNotifications = (
  bus: MessageBus,
  notifier: Notifier,
  use: readonly Middleware[] = [],
): Promise<BusSubscription> =>
  bus.subscribe(
    [orderEvents['order.shipped']],
    ({ id, time, data: { orderId, customerId, country, tracking } }) =>
      notifier.notify({ id, orderId, customerId, country, tracking, shippedAt: time }),
    { group: shippingNotifications, startPosition: 'latest', concurrency: 128, use: use.map(onlyShipped) },
  );

const onlyShipped =
  (middleware: Middleware): Middleware =>
  (next, subscription) => {
    const wrapped = middleware(next, subscription);
    return (delivery, signal) =>
      (delivery.message.type === orderEvents['order.shipped'].type ? wrapped : next)(delivery, signal);
  };
