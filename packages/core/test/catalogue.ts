import { z } from 'zod';
import { defineEvents, type StandardSchemaV1 } from '../src/index.ts';

/** A Standard Schema by hand: a customer's name, trimmed. */
export const Renamed: StandardSchemaV1<{ name: string }, { name: string; length: number }> = {
  '~standard': {
    version: 1,
    vendor: 'by hand',
    validate: (value) => {
      const name = (value as { name?: unknown } | null)?.name;
      if (typeof name !== 'string') return { issues: [{ message: 'must be a text', path: ['name'] }] };
      return { value: { name: name.trim(), length: name.trim().length } };
    },
  },
};

export const orderEvents = defineEvents(
  { topic: 'orders' },
  {
    'order.placed': {
      version: 3,
      schema: z.object({
        orderId: z.string().min(1),
        total: z.string(),
        placedAt: z.coerce.date().optional(),
        channel: z.string().default('web'),
      }),
      key: (placed) => placed.orderId,
      upcast: {
        1: (old: { id: string; total: number }) => ({ orderId: old.id, total: old.total }),
        2: (old: { orderId: string; total: number }) => ({ ...old, total: old.total.toFixed(2) }),
      },
    },
    'order.shipped': { version: 1, schema: z.object({ orderId: z.string() }), key: ({ orderId }) => orderId },
    'customer.renamed': { version: 1, schema: Renamed, topic: 'customers' },
  },
);
