import { BentoError, type Codec, type CodecContext, CodecError, type Encoded } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import type { SchemaRegistry, SchemaText } from '../registry/port.ts';
import { type AvroCodecOptions, createAvroCodec } from './index.ts';

const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };

/** A registry in memory: the number of a schema is the first byte of a body. */
function memory(known: string[] = []): SchemaRegistry & { readonly known: string[] } {
  return {
    known,
    mark({ text }: SchemaText) {
      if (!known.includes(text)) known.push(text);
      return { prefix: Uint8Array.of(known.indexOf(text)), headers: { 'x-schema': String(known.indexOf(text)) } };
    },
    writerOf(body) {
      const id = body[0] ?? 0;
      return { id: String(id), schema: { format: 'AVRO', text: known[id] as string }, offset: 1 };
    },
  };
}

const record = (fields: object[], more: object = {}): object => ({ type: 'record', name: 'R', fields, ...more });
const a = { name: 'a', type: 'int' };
const items = { name: 'items', type: { type: 'array', items: record([a], { name: 'Item' }) } };
const list = (more: object[]): object => record([{ name: 'next', type: ['null', 'R'] }, ...more]);
const codecOf = (versions: Record<number, unknown>, registry: SchemaRegistry, rest: object = {}): Codec =>
  createAvroCodec({ schemas: { 'order.placed': versions } as AvroCodecOptions['schemas'], registry, ...rest });

describe('Avro with a registry', () => {
  it('marks bodies and reads them again', () => {
    const codec = codecOf({ 1: record([a]) }, memory());
    const encoded = codec.encode({ a: 7 }, context) as Encoded;
    expect(encoded).toEqual({ body: Buffer.of(0, 14), headers: { 'x-schema': '0' } });
    expect(codec.decode(encoded.body, context)).toEqual({ a: 7 });
  });

  it('reads what another schema wrote by the rules of Avro', () => {
    const registry = memory();
    const old = codecOf({ 1: record([a, { name: 'gone', type: 'string' }, items], { name: 'shop.R' }) }, registry);
    const { body } = old.encode({ a: 1, gone: 'x', items: [{ a: 2 }, { a: 3 }] }, context) as Encoded;
    const item = record(
      [
        { name: 'a', type: 'double' },
        { name: 'b', type: 'string', default: 'none' },
      ],
      { name: 'Item' },
    );
    const reader = record([
      { name: 'items', type: { type: 'array', items: item } },
      { name: 'a', type: ['null', 'long'] },
      { name: 'more', type: { type: 'map', values: 'int' }, default: {} },
    ]);
    const codec = codecOf({ 1: reader }, registry);
    expect(codec.decode(body, context)).toStrictEqual({
      items: [
        { a: 2, b: 'none' },
        { a: 3, b: 'none' },
      ],
      a: 1,
      more: {},
    });
  });

  it('guards the items of a writer by its own sizes', () => {
    const registry = memory([JSON.stringify({ type: 'array', items: 'int' })]);
    const codec = codecOf({ 1: { type: 'array', items: 'double' } }, registry);
    expect(codec.decode(Buffer.of(0, 4, 2, 4, 0), context)).toEqual([1, 2]);
    expect(() => codec.decode(Buffer.of(0, 0xfe, 0xff, 0x03, 2), context)).toThrow('more than the body can hold');
  });

  it('gives a version that it does not have as it was written', () => {
    const registry = memory();
    const { body } = codecOf({ 2: record([a]) }, registry).encode({ a: 5 }, { ...context, version: 2 }) as Encoded;
    expect(codecOf({ 1: record([]) }, registry).decode(body, { ...context, version: 2 })).toEqual({ a: 5 });
  });

  it.each([
    [
      'a field without default',
      record([a]),
      record([a, { name: 'b', type: 'int' }]),
      'no matching field for default-less R.b',
    ],
    [
      'a type that became another',
      record([a]),
      record([{ name: 'a', type: 'string' }]),
      'cannot read "int" as "string"',
    ],
    ['a schema that is none', '{"type":"nothing"}', record([a]), 'is no Avro schema (unknown type: "nothing")'],
    [
      'a name that changes prototypes',
      '{"type":"record","name":"R","fields":[{"name":"__proto__","type":"int"}]}',
      record([a]),
      '__proto__',
    ],
  ])('refuses %s, every time', (_, written, read, problem) => {
    const codec = codecOf({ 1: read }, memory([typeof written === 'string' ? written : JSON.stringify(written)]));
    for (let i = 0; i < 2; i += 1) {
      expect(() => codec.decode(Buffer.of(0, 2), context)).toThrow(CodecError);
      expect(() => codec.decode(Buffer.of(0, 2), context)).toThrow(problem);
    }
  });

  it('waits for a registry that must be asked, and passes on that it is down', async () => {
    const down = new BentoError('CONNECTION', 'down', true);
    const inner = memory();
    let fails = false;
    const registry: SchemaRegistry = {
      mark: async (...given) => (fails ? Promise.reject(down) : inner.mark(...given)),
      writerOf: async (...given) => (fails ? Promise.reject(down) : inner.writerOf(...given)),
    };
    const codec = codecOf({ 1: record([a]) }, registry);
    const { body } = await codec.encode({ a: 1 }, context);
    expect(await codec.decode(body, context)).toEqual({ a: 1 });
    await expect(codec.decode(Buffer.of(0), context)).rejects.toThrow(CodecError);
    fails = true;
    await expect(codec.encode({ a: 1 }, context)).rejects.toBe(down);
    await expect(codec.decode(body, context)).rejects.toBe(down);
  });

  it('reads bodies that carry no schema with its own', () => {
    const registry: SchemaRegistry = { ...memory(), writerOf: () => undefined };
    expect(codecOf({ 1: record([a]) }, registry).decode(Buffer.of(14), context)).toEqual({ a: 7 });
  });

  it('keeps recursive schemas in their depth when another one wrote them', () => {
    const registry = memory([JSON.stringify(list([]))]);
    const codec = codecOf({ 1: list([{ name: 'b', type: 'int', default: 1 }]) }, registry, { maxDepth: 3 });
    expect(codec.decode(Buffer.of(0, 2, 0), context)).toEqual({ next: { next: null, b: 1 }, b: 1 });
    expect(() => codec.decode(Buffer.of(0, 2, 2, 2, 2, 2, 0), context)).toThrow('deeper than 3');
  });
});
