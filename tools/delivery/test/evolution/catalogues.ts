import { createJsonCodec } from '@bento-bus/codecs';
import { createAvroCodec } from '@bento-bus/codecs/avro';
import { createProtobufCodec } from '@bento-bus/codecs/protobuf';
import { type Codec, defineEvents } from '@bento-bus/core';
import { z } from 'zod';

const Issued1 = z.object({ invoiceId: z.string(), customer: z.string(), total: z.string(), days: z.int() });
const Issued2 = z.object({
  invoiceId: z.string(),
  customer: z.object({ name: z.string(), country: z.string() }),
  lines: z.array(z.object({ sku: z.string(), price: z.string() })),
  dueAt: z.int(),
});

/** Epoch milliseconds from which `days` count. */
const epoch = 1_700_000_000_000;

/** The first catalogue: one total, a name for a customer. */
export const catalogue1 = (topic: string) =>
  defineEvents({ topic }, { 'invoice.issued': { version: 1, schema: Issued1, key: (data) => data.invoiceId } });

/** The second: the customer is an object, the total became lines, days a time. No field but the id is as it was. */
export const catalogue2 = (topic: string) =>
  defineEvents(
    { topic },
    {
      'invoice.issued': {
        version: 2,
        schema: Issued2,
        key: (data) => data.invoiceId,
        upcast: {
          1: ({ invoiceId, customer, total, days }: z.infer<typeof Issued1>): z.infer<typeof Issued2> => ({
            invoiceId,
            customer: { name: customer, country: '?' },
            lines: [{ sku: 'total', price: total }],
            dueAt: epoch + days * 86_400_000,
          }),
        },
      },
    },
  );

/** The same invoice in both versions. */
export const issued1 = (invoiceId: string) => ({ invoiceId, customer: 'Ünal', total: '12.50', days: 30 });
export const upcasted = (invoiceId: string) => ({
  invoiceId,
  customer: { name: 'Ünal', country: '?' },
  lines: [{ sku: 'total', price: '12.50' }],
  dueAt: 1_702_592_000_000,
});
export const issued2 = (invoiceId: string) => ({
  invoiceId,
  customer: { name: 'Ünal', country: 'TR' },
  lines: [
    { sku: 'a', price: '10' },
    { sku: 'b', price: '2.50' },
  ],
  dueAt: epoch,
});

const avro1 = {
  type: 'record',
  name: 'InvoiceIssued',
  fields: [
    { name: 'invoiceId', type: 'string' },
    { name: 'customer', type: 'string' },
    { name: 'total', type: 'string' },
    { name: 'days', type: 'int' },
  ],
};
const recordOf = (name: string, ...fields: string[]) => ({
  type: 'record',
  name,
  fields: fields.map((field) => ({ name: field, type: 'string' })),
});
const avro2 = {
  type: 'record',
  name: 'InvoiceIssued',
  fields: [
    { name: 'invoiceId', type: 'string' },
    { name: 'customer', type: recordOf('Customer', 'name', 'country') },
    { name: 'lines', type: { type: 'array', items: recordOf('Line', 'sku', 'price') } },
    { name: 'dueAt', type: 'long' },
  ],
};
const proto1 = `syntax = "proto3";
message InvoiceIssued { string invoice_id = 1; string customer = 2; string total = 3; int32 days = 4; }`;
const proto2 = `syntax = "proto3";
message Customer { string name = 1; string country = 2; }
message Line { string sku = 1; string price = 2; }
message InvoiceIssued { string invoice_id = 1; Customer customer = 5; repeated Line lines = 6; int64 due_at = 7; }`;

export const codecNames = ['json', 'avro', 'protobuf'] as const;
export type CodecName = (typeof codecNames)[number];

/** A codec that knows the schemas up to a version: who was built with the first catalogue knows no other. */
export function codecOf(name: CodecName, upTo: 1 | 2): Codec {
  if (name === 'json') return createJsonCodec();
  if (name === 'avro')
    return createAvroCodec({ schemas: { 'invoice.issued': upTo === 1 ? { 1: avro1 } : { 1: avro1, 2: avro2 } } });
  const message = 'InvoiceIssued';
  const first = { proto: proto1, message };
  return createProtobufCodec({
    types: { 'invoice.issued': upTo === 1 ? { 1: first } : { 1: first, 2: { proto: proto2, message } } },
  });
}
