import { defineReadModel } from '@bento-bus/core';

/** One row an order, as it stands. `total` is exact, also of an order that was cancelled. */
export const orders = defineReadModel({
  name: 'orders',
  version: 1,
  key: ['orderId'],
  columns: {
    orderId: 'string',
    status: 'string',
    customerId: 'string',
    country: 'string',
    placedAt: 'time',
    day: 'date',
    lineCount: 'integer',
    total: 'decimal',
    tracking: 'string',
  },
});

/** One row a line of an order: facts, written once. */
export const orderLines = defineReadModel({
  name: 'order_lines',
  version: 1,
  key: ['orderId', 'streamVersion', 'line'],
  columns: {
    orderId: 'string',
    streamVersion: 'integer',
    /** From 1, in the order of the invoice. */
    line: 'integer',
    sku: 'string',
    description: 'string',
    quantity: 'integer',
    unitPrice: 'decimal',
    amount: 'decimal',
  },
});

/** One row a credit note. `total` is exact and not above 0. */
export const creditNotes = defineReadModel({
  name: 'credit_notes',
  version: 1,
  key: ['creditNoteId'],
  columns: {
    creditNoteId: 'string',
    customerId: 'string',
    country: 'string',
    issuedAt: 'time',
    day: 'date',
    lineCount: 'integer',
    total: 'decimal',
  },
});
