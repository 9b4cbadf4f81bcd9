// AsyncAPI documents and JSON Schemas, checked with the specification's own schema and by validating what travels.
import { type AsyncApiDocument, asyncApi, jsonSchemas } from '@bento-bus/codecs/documents';
import { defineEvents, type EventCatalogue, headerNames, isBentoError, type StandardSchemaV1 } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { asyncApiFaults, jsonSchemaFaults } from './support/schema-faults.ts';

const Line = z.object({ sku: z.string(), quantity: z.int().min(1) });
const ordersV1 = defineEvents(
  { topic: 'orders' },
  { 'order.placed': { version: 1, schema: z.object({ orderId: z.string() }), key: (data) => data.orderId } },
);
const orders = defineEvents(
  { topic: 'orders' },
  {
    'order.placed': {
      version: 2,
      schema: z.object({ orderId: z.string(), note: z.string().default(''), lines: z.array(Line).min(1) }),
      key: (data) => data.orderId,
      upcast: { 1: (old: { orderId: string }) => ({ ...old, lines: [{ sku: '?', quantity: 1 }] }) },
    },
    'order.shipped/again': { version: 1, schema: z.object({ orderId: z.string() }), topic: 'shop/parcels' },
  },
);
const Node = z.object({
  name: z.string(),
  get children() {
    return z.array(Node);
  },
});
const trees = defineEvents({ topic: 'trees' }, { 'tree.grown': { version: 1, schema: z.object({ root: Node }) } });
const info = { title: 'Shop', version: '1.2.0' };
const servers = { local: { host: 'localhost:9092', protocol: 'kafka', description: 'This machine.' } };

const without: StandardSchemaV1 = {
  '~standard': { version: 1, vendor: 'homemade', validate: (value) => ({ value }) },
};

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isBentoError(error, 'CONFIGURATION')) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('jsonSchemas', () => {
  it('gives the schema of what travels, by type and version', () => {
    const schemas = jsonSchemas([orders, ordersV1]);
    expect(Object.keys(schemas)).toEqual(['order.placed', 'order.shipped/again']);
    expect(Object.keys(schemas['order.placed'] ?? {})).toEqual(['1', '2']);
    const { topic, schema } = schemas['order.placed']?.[2] ?? {};
    expect(topic).toBe('orders');
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      // The default is filled in by the reader: it need not travel.
      required: ['orderId', 'lines'],
    });
    const sent = { orderId: 'o-1', lines: [{ sku: 'a', quantity: 2 }] };
    expect(jsonSchemaFaults(schema, sent)).toEqual([]);
    expect(jsonSchemaFaults(schema, { ...sent, lines: [{ sku: 'a', quantity: 0.5 }] })).not.toEqual([]);
  });

  it('asks toJsonSchema first, then the schema itself', () => {
    const mixed = defineEvents(
      { topic: 't' },
      { a: { version: 1, schema: without }, b: { version: 1, schema: z.object({ at: z.iso.datetime() }) } },
    );
    const asked: string[] = [];
    const schemas = jsonSchemas([mixed], {
      toJsonSchema: (schema, target, { type }) => {
        asked.push(`${type} ${schema['~standard'].vendor} ${target}`);
        return type === 'a' ? { type: 'string' } : undefined;
      },
    });
    expect(asked).toEqual(['a homemade draft-2020-12', 'b zod draft-2020-12']);
    expect(schemas['a']?.[1]?.schema).toEqual({ type: 'string' });
    expect(schemas['b']?.[1]?.schema).toMatchObject({ properties: { at: { type: 'string', format: 'date-time' } } });
  });

  it('names every event that it cannot describe, and what to do', () => {
    const bad = defineEvents(
      { topic: 't' },
      { a: { version: 1, schema: without }, b: { version: 3, schema: z.date(), upcast: { 1: String, 2: String } } },
    );
    expect(messageOf(() => jsonSchemas([bad]))).toBe(
      'codecs: cannot describe the catalogues: "a" of version 1: its schema (of "homemade") has no Standard JSON Schema; take a library that has it, such as zod 4.2 and newer, or pass toJsonSchema; ' +
        '"b" of version 3: its schema cannot be written as JSON Schema (Date cannot be represented in JSON Schema); a schema should take what travels, such as z.iso.datetime() with a transform, or pass toJsonSchema. Correct these 2 faults and try again.',
    );
    const again = defineEvents({ topic: 'orders' }, { 'order.placed': { version: 1, schema: z.object({}) } });
    expect(messageOf(() => jsonSchemas([ordersV1, again]))).toContain('"order.placed" of version 1 is defined twice');
    expect(Object.keys(jsonSchemas([ordersV1, ordersV1]))).toEqual(['order.placed']);
  });
});

describe('asyncApi', () => {
  const documents: readonly [string, readonly EventCatalogue[]][] = [
    ['no event', []],
    ['two versions and odd names', [orders, ordersV1]],
    ['a recursive schema', [trees]],
  ];
  it.each(documents)('of %s is valid by the schema of AsyncAPI 3.0.0', (_, catalogues) => {
    const document = asyncApi(catalogues, { ...info, servers, pulsar: { namespace: 'default' } });
    expect(asyncApiFaults(document)).toEqual([]);
    // The check finds faults.
    expect(asyncApiFaults({ ...document, channels: { a: { addres: 'a' } } })).not.toEqual([]);
  });

  it('has a channel for each topic and a message for each version, with its headers and its key', () => {
    const document = asyncApi([orders, ordersV1], { ...info, servers, contentType: 'avro/binary' });
    expect(document).toMatchObject({ asyncapi: '3.0.0', info, servers, defaultContentType: 'avro/binary' });
    expect(document.channels).toEqual({
      orders: {
        address: 'orders',
        messages: {
          'order.placed.v1': { $ref: '#/components/messages/order.placed.v1' },
          'order.placed.v2': { $ref: '#/components/messages/order.placed.v2' },
        },
      },
      shop_parcels: {
        address: 'shop/parcels',
        messages: { 'order.shipped_again.v1': { $ref: '#/components/messages/order.shipped_again.v1' } },
      },
    });
    expect(Object.keys(document.operations)).toEqual([
      'send.orders',
      'receive.orders',
      'send.shop_parcels',
      'receive.shop_parcels',
    ]);
    const message = document.components.messages['order.placed.v2'];
    expect(message).toMatchObject({
      name: 'order.placed',
      contentType: 'avro/binary',
      correlationId: { location: '$message.header#/ce_correlationid' },
      bindings: { kafka: { key: { type: 'string', description: 'Messages of one key are handled in order.' } } },
    });
    const properties = message?.headers['properties'] as Record<string, unknown>;
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.values(headerNames)));
    expect(properties).toMatchObject({
      ce_type: { const: 'order.placed' },
      'content-type': { const: 'avro/binary' },
      ce_eventversion: { const: '2' },
    });
  });

  it('can be of an application that only receives', () => {
    const { operations } = asyncApi([trees], { ...info, actions: ['receive'] });
    expect(Object.keys(operations)).toEqual(['receive.trees']);
  });

  it('resolves every reference within itself, also those of recursive schemas', () => {
    const document = asyncApi([orders, ordersV1, trees], info);
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref as string);
    expect(refs).not.toHaveLength(0);
    for (const ref of refs) expect([ref, at(document, ref)]).toEqual([ref, expect.any(Object)]);
    const { schemas } = document.components;
    const tree = { ...schemas['tree.grown.v1'], components: { schemas } };
    expect(jsonSchemaFaults(tree, { root: { name: 'a', children: [{ name: 'b', children: [] }] } })).toEqual([]);
    expect(jsonSchemaFaults(tree, { root: { name: 'a', children: [{ name: 1, children: [] }] } })).not.toEqual([]);
  });

  it('is the same text whatever the order of the catalogues, and keeps names that would be one apart', () => {
    const text = (...catalogues: EventCatalogue[]): string => JSON.stringify(asyncApi(catalogues, info));
    expect(text(orders, trees, ordersV1)).toBe(text(ordersV1, orders, trees));
    const schema = z.object({});
    const alike = defineEvents({ topic: 't' }, { 'a b': { version: 1, schema }, 'a/b': { version: 1, schema } });
    expect(Object.keys(asyncApi([alike], info).components.messages)).toEqual(['a_b.v1', 'a_b.v1_2']);
  });
});

function at(document: AsyncApiDocument, ref: string): unknown {
  return ref
    .slice(2)
    .split('/')
    .reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], document);
}
