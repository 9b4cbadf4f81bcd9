import { z } from 'zod';
import { orderSortings } from '../application/queries.ts';
import { orderStatuses } from '../domain/order-status.ts';

const text = (most: number, about: string): z.ZodString =>
  z.string().max(most, `It has more than ${most} characters.`).describe(about);
const filled = (most: number, about: string): z.ZodString => text(most, about).regex(/\S/, 'It is empty.');
const Time = z.iso.datetime().describe('UTC, ISO 8601');
const Money = z
  .string()
  .regex(/^-?\d+\.\d{2}$/)
  .describe('With two decimals');
const Status = z.enum(orderStatuses);

/** A key of streams and messages: no control characters. What a URL takes for a way through folders has no address. */
const OrderId = filled(100, 'Number of the order')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'It has control characters.')
  .regex(/^(?!\.\.?$)/, 'It is "." or "..".');
export const OrderPath = z.object({ id: OrderId });

const NewLine = z.strictObject({
  sku: filled(100, 'Number of the article'),
  description: text(1_000, 'What it is').default(''),
  quantity: z.int().min(1, 'It is below 1.').max(999_999_999, 'It has more than 9 digits.'),
  unitPrice: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,10})?$/, 'It is not a decimal of up to 9 digits and 10 decimals.')
    .describe('An exact decimal'),
});
export const NewOrder = z.strictObject({
  orderId: OrderId.optional(),
  customerId: text(100, 'Who places it; empty: not known').default(''),
  country: filled(100, 'Where it goes'),
  lines: z.array(NewLine).min(1, 'There is no line.').max(1_000, 'There are more than 1,000 lines.'),
});

export const Nothing = z.strictObject({});
export const Shipping = z.strictObject({ tracking: text(200, 'Number of the carrier').default('') });
export const Cancelling = z.strictObject({ reason: text(1_000, 'Why').default('') });

export const ListQuery = z.object({
  country: filled(100, 'Only of this country').optional(),
  status: Status.optional(),
  search: filled(100, 'A part of number, customer, country or tracking').optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('Orders at most'),
  cursor: text(1_000, '`next` of the page before').optional(),
  order: z.enum(orderSortings).default('newest'),
});

const summary = {
  orderId: z.string(),
  status: Status,
  customerId: z.string(),
  country: z.string(),
  placedAt: Time,
  lineCount: z.int(),
  total: Money,
  tracking: z.string(),
};
export const OrderSummary = z.object(summary);
export const OrderDetails = z.object({
  ...summary,
  lines: z.array(
    z.object({
      line: z.int(),
      sku: z.string(),
      description: z.string(),
      quantity: z.int(),
      unitPrice: z.string().describe('With all its decimals'),
      amount: Money,
    }),
  ),
});
export const OrderPage = z.object({
  orders: z.array(OrderSummary),
  count: z.int().describe('Of all pages'),
  next: z.string().nullable().describe('`cursor` of the next page; null: this is the last'),
});

export const OrderEvents = z.object({
  events: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      time: Time,
      streamVersion: z.int(),
      position: z.string(),
      correlationId: z.string(),
      data: z.record(z.string(), z.unknown()),
    }),
  ),
});

const stepKinds = ['command', 'append', 'publish', 'process', 'retry', 'dead-letter', 'redrive'] as const;
export const OrderTrace = z.object({
  steps: z
    .array(
      z.object({
        time: Time,
        kind: z.enum(stepKinds),
        name: z.string(),
        messageId: z.string(),
        topic: z.string().optional(),
        group: z.string().optional(),
        attempt: z.int().optional(),
        outcome: z.enum(['ok', 'failed']),
        error: z.string().optional(),
        durationMs: z.number().optional(),
        traceId: z.string().optional(),
      }),
    )
    .describe('Ascending by time; since the start of this process, as far as it remembers'),
});
export type Step = z.infer<typeof OrderTrace>['steps'][number];

const Revenue = z.array(z.object({ key: z.string(), orders: z.int(), revenue: Money }));
export const Statistics = z.object({
  orders: z.int(),
  creditNotes: z.int(),
  lines: z.int(),
  revenue: Money,
  byDay: Revenue,
  byCountry: Revenue,
  byStatus: Revenue,
});

export const Groups = z.object({
  groups: z.array(
    z.object({
      topic: z.string(),
      group: z.string(),
      lag: z.int().describe('Messages that are not acknowledged'),
      members: z.int(),
      state: z.enum(['ok', 'behind', 'stopped']),
    }),
  ),
  backend: z.string(),
  updatedAt: Time,
});
export type Groups = z.infer<typeof Groups>;

export const Failed = z.object({
  places: z.array(z.object({ topic: z.string(), group: z.string(), count: z.int() })),
  messages: z
    .array(
      z.object({
        id: z.string(),
        kind: z.enum(['dead-letter', 'parked']),
        topic: z.string(),
        group: z.string(),
        type: z.string(),
        key: z.string(),
        errorCode: z.string(),
        error: z.string(),
        attempts: z.int(),
        lastFailed: Time.nullable(),
      }),
    )
    .describe('200 at most'),
});
export const FailedRun = z.strictObject({
  topic: filled(250, 'Where they were published'),
  group: filled(250, 'Who could not handle them'),
  ids: z.array(filled(500, 'Of a message')).min(1).max(1_000).optional().describe('Only these'),
});
export const FailedDone = z.object({ done: z.int(), kept: z.int() });

export const Health = z.object({
  status: z.enum(['ok', 'failing', 'draining']),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().optional() })),
});

export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
