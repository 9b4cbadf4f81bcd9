/** What an order can be: placed, then paid, then shipped; cancelled before it is shipped; refunded after it was paid. */
export const orderStatuses = ['placed', 'paid', 'shipped', 'cancelled', 'refunded'] as const;
export type OrderStatus = (typeof orderStatuses)[number];
