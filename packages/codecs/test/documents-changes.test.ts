// What breaks between two snapshots of a catalogue, told in words.
import { asyncApi, documentChanges, jsonSchemas } from '@bento-bus/codecs/documents';
import { defineEvents, type EventCatalogue, type StandardSchemaV1 } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const Line = z.object({ sku: z.string(), quantity: z.int() });
const shape = {
  orderId: z.string(),
  lines: z.array(Line).min(1),
  status: z.enum(['open', 'paid']),
  note: z.string().optional(),
  buyer: z.object({ name: z.string(), vat: z.string().nullable() }),
};

type Shape = Readonly<Record<string, z.ZodType>>;
const catalogueOf = (schema: StandardSchemaV1, version = 1, topic = 'orders'): EventCatalogue =>
  defineEvents(
    { topic },
    {
      'order.placed': {
        version,
        schema,
        upcast: Object.fromEntries(Array.from({ length: version - 1 }, (_, n) => [n + 1, (old: never) => old])),
      },
    },
  );
const placed = (fields: Shape, version = 1, topic = 'orders'): EventCatalogue =>
  catalogueOf(z.object(fields), version, topic);
const info = { title: 'Shop', version: '1.0.0' };

/** The same by JSON Schemas, by AsyncAPI documents, and by documents that were files. */
function changesOf(before: readonly EventCatalogue[], after: readonly EventCatalogue[]): readonly string[] {
  const changes = documentChanges(jsonSchemas(before), jsonSchemas(after));
  const document = JSON.parse(JSON.stringify(asyncApi(before, info))) as ReturnType<typeof asyncApi>;
  expect(documentChanges(document, asyncApi(after, info))).toEqual(changes);
  return changes;
}

const { note: _, ...withoutNote } = shape;
const Shapes = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('circle'), radius: z.number() }),
  z.object({ kind: z.literal('square'), side: z.number() }),
]);
const narrower = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('circle'), radius: z.string() }),
  z.object({ kind: z.literal('line'), length: z.number() }),
]);
interface Tree {
  readonly value: number | string;
  readonly children: readonly Tree[];
}
const treeOf = (value: z.ZodType<number | string>): z.ZodType<Tree> => {
  const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ value, children: z.array(Tree) }));
  return Tree;
};

const parts = (part: z.ZodType): EventCatalogue =>
  placed({
    map: z.record(z.string(), part),
    pair: z.tuple([z.string(), part]),
    both: z.intersection(z.object({ c: z.string() }), part),
  });

describe('documentChanges', () => {
  it.each<[string, EventCatalogue, EventCatalogue]>([
    ['nothing', placed(shape), placed({ ...shape })],
    ['a field that may be absent', placed(shape), placed({ ...shape, gift: z.boolean().optional() })],
    ['a field with a default', placed(shape), placed({ ...shape, gift: z.boolean().default(false) })],
    ['a wider limit', placed(shape), placed({ ...shape, lines: z.array(Line) })],
    ['a description', placed(shape), placed({ ...shape, orderId: z.string().describe('Of the shop.') })],
    ['the version alone', placed(shape), placed(shape, 2)],
    [
      'alternatives in another order',
      placed({ a: z.union([z.string(), z.null()]) }),
      placed({ a: z.union([z.null(), z.string()]) }),
    ],
    ['a recursive schema', catalogueOf(treeOf(z.number())), catalogueOf(treeOf(z.number()))],
  ])('is silent about %s', (_name, before, after) => {
    expect(changesOf([before], [after])).toEqual([]);
  });

  it('is silent about a new event', () => {
    const more = defineEvents({ topic: 'orders' }, { 'order.paid': { version: 1, schema: z.object({}) } });
    expect(changesOf([placed(shape)], [placed(shape), more])).toEqual([]);
    expect(changesOf([placed(shape), more], [placed(shape)])).toEqual(['"order.paid": the event is removed']);
  });

  it.each<[Shape, string]>([
    [withoutNote, 'the field note is removed'],
    [{ ...shape, lines: z.array(z.object({ sku: z.string() })).min(1) }, 'the field lines[].quantity is removed'],
    [{ ...shape, buyer: z.object({ name: z.string() }) }, 'the field buyer.vat is removed'],
    [{ ...shape, orderId: z.int() }, 'orderId is integer, no longer string'],
    [
      { ...shape, lines: z.array(Line.extend({ quantity: z.number() })).min(1) },
      'lines[].quantity is number, no longer integer',
    ],
    [{ ...shape, shop: z.string() }, 'the field shop is newly required: what was sent without it is refused'],
    [{ ...shape, note: z.string() }, 'the field note is newly required: what was sent without it is refused'],
    [{ ...shape, orderId: z.string().optional() }, 'the field orderId is no longer always there'],
    [{ ...shape, orderId: z.string().nullable() }, 'orderId can newly be null, which readers do not expect'],
    [{ ...shape, buyer: z.object({ name: z.string(), vat: z.string() }) }, 'buyer.vat can no longer be null'],
    [{ ...shape, status: z.enum(['open', 'paid', 'lost']) }, 'status can newly be "lost", which readers do not know'],
    [{ ...shape, status: z.enum(['open']) }, 'status can no longer be "paid"'],
    [{ ...shape, status: z.string() }, 'status can be any value now, not only "open", "paid"'],
    [{ ...shape, orderId: z.enum(['a', 'b']) }, 'orderId can only be "a", "b" now'],
    [{ ...shape, lines: z.array(Line).min(2) }, 'lines has the minItems 2, no longer 1'],
    [{ ...shape, orderId: z.string().max(36) }, 'orderId has the maxLength 36, and had none'],
    [{ ...shape, orderId: z.string().regex(/^o-/) }, 'orderId has the pattern "^o-", and had none'],
    [{ ...shape, buyer: z.strictObject(shape.buyer.shape) }, 'buyer refuses other fields now'],
  ])('tells a change that breaks: %#', (fields, change) => {
    expect(changesOf([placed(shape)], [placed(fields)])).toEqual([`"order.placed" of version 1: ${change}`]);
  });

  it('looks into unions by their tags, into maps, tuples, intersections and recursive schemas', () => {
    const text = '"order.placed" of version 1: ';
    expect(changesOf([catalogueOf(Shapes)], [catalogueOf(narrower)])).toEqual([
      `${text}radius is string, no longer number`,
      `${text}the field side is removed`,
      `${text}the field length is newly required: what was sent without it is refused`,
      `${text}kind can no longer be "square"`,
      `${text}kind can newly be "line", which readers do not know`,
    ]);
    const [before, after] = [z.object({ a: z.string(), b: z.int() }), z.object({ a: z.string() })];
    expect(changesOf([parts(before)], [parts(after)])).toEqual(
      ['map{}.b', 'pair[1].b', 'both.b'].map((field) => `${text}the field ${field} is removed`),
    );
    expect(changesOf([catalogueOf(treeOf(z.number()))], [catalogueOf(treeOf(z.string()))])).toEqual([
      `${text}value is string, no longer number`,
    ]);
  });

  it('tells a lowered version, another topic, and what a raised version changes', () => {
    expect(changesOf([placed(shape, 2)], [placed(shape)])).toEqual([
      '"order.placed": the version is lowered from 2 to 1',
    ]);
    expect(changesOf([placed(shape)], [placed(shape, 1, 'sales')])).toEqual([
      '"order.placed" of version 1: the topic is "sales", no longer "orders"',
    ]);
    expect(changesOf([placed(shape)], [placed(withoutNote, 2)])).toEqual([
      '"order.placed" from version 1 to 2: the field note is removed',
    ]);
  });

  it('compares each version that both describe', () => {
    const [one, two] = [placed(shape, 1), placed(withoutNote, 2)];
    expect(changesOf([one], [one, two])).toEqual([]);
    expect(changesOf([one, two], [placed(withoutNote, 1), two])).toEqual([
      '"order.placed" of version 1: the field note is removed',
    ]);
    // Catalogues hold the current version; that an older one is described no more breaks nobody.
    expect(changesOf([one, two], [two])).toEqual([]);
  });
});
