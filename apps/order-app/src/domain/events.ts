import { defineEvents } from '@bento-bus/core';
import { z } from 'zod';

const Decimal = z.string().regex(/^\d+(\.\d+)?$/);

/** One line of an order or a credit note. `unitPrice` is an exact decimal. */
export const Line = z.object({
  sku: z.string(),
  description: z.string(),
  quantity: z.int(),
  unitPrice: Decimal,
});
export type Line = z.infer<typeof Line>;

const OrderPlaced = z.object({
  orderId: z.string(),
  /** Empty: not known. */
  customerId: z.string(),
  country: z.string(),
  /** Epoch milliseconds, UTC. */
  placedAt: z.int(),
  lines: z.array(Line).min(1).readonly(),
});
const OrderPaid = z.object({ orderId: z.string(), amount: Decimal });
const OrderShipped = z.object({
  orderId: z.string(),
  customerId: z.string(),
  country: z.string(),
  /** Of the carrier; empty: none. */
  tracking: z.string(),
});
const OrderCancelled = z.object({ orderId: z.string(), reason: z.string() });
const OrderRefunded = z.object({ orderId: z.string(), amount: Decimal });
const CreditNoteRecorded = z.object({
  creditNoteId: z.string(),
  customerId: z.string(),
  country: z.string(),
  /** Epoch milliseconds, UTC. */
  issuedAt: z.int(),
  /** Quantities are negative. */
  lines: z.array(Line).min(1).readonly(),
});

export type OrderPlaced = z.infer<typeof OrderPlaced>;
export type CreditNoteRecorded = z.infer<typeof CreditNoteRecorded>;

const byOrder = (data: { readonly orderId: string }): string => data.orderId;

/** What happens to an order. */
export const orderEvents = defineEvents(
  { topic: 'orders' },
  {
    'order.placed': { version: 1, schema: OrderPlaced, key: byOrder },
    'order.paid': { version: 1, schema: OrderPaid, key: byOrder },
    'order.shipped': { version: 1, schema: OrderShipped, key: byOrder },
    'order.cancelled': { version: 1, schema: OrderCancelled, key: byOrder },
    'order.refunded': { version: 1, schema: OrderRefunded, key: byOrder },
  },
);

/** Credit notes stand beside the orders: they change no order. */
export const creditNoteEvents = defineEvents(
  { topic: 'credit-notes' },
  { 'credit-note.recorded': { version: 1, schema: CreditNoteRecorded, key: (data) => data.creditNoteId } },
);
