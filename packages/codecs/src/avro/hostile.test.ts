import { type Codec, type CodecContext, CodecError } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createAvroCodec } from './index.ts';

const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };
const codecOf = (schema: unknown, rest: object = {}): Codec =>
  createAvroCodec({ schemas: { 'order.placed': JSON.stringify(schema) }, ...rest });

/** A number in Avro's notation. */
function long(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

const record = (...types: unknown[]): object => ({
  type: 'record',
  name: 'R',
  fields: types.map((type, i) => ({ name: `f${i}`, type })),
});
const ints = { type: 'array', items: 'int' };
const nulls = { type: 'array', items: 'null' };
const map = { type: 'map', values: 'int' };
const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] };
/** Each holds two of the one before, and none takes a byte. */
const doubled = Array.from({ length: 24 }).reduce<object>(
  (inner, _, i) => ({
    type: 'record',
    name: `D${i + 1}`,
    fields: [
      { name: 'a', type: inner },
      { name: 'b', type: `D${i}` },
    ],
  }),
  { type: 'record', name: 'D0', fields: [] },
);
const symbols = { type: 'enum', name: 'E', symbols: ['A'] };
const many = Array.from({ length: 9 }, () => 0xff);

const cases: readonly [string, unknown, readonly number[], string, string][] = [
  ['a forged count', ints, [...long(1e9), 2], 'byte 5', 'more than the body can hold'],
  ['a forged count of a block with a size', ints, [...long(-1e9), ...long(4), 2], 'byte 5', 'more than the body'],
  ['a forged count within', { type: 'array', items: ints }, [2, ...long(1e9)], 'byte 6', 'more than the body'],
  [
    'a forged count of wide items',
    { type: 'array', items: 'double' },
    [...long(3), ...many, ...many],
    'byte 1',
    'more',
  ],
  ['a forged count of a map', map, [...long(1e9), 2], 'byte 5', 'more than the body'],
  ['an infinite count', ints, [...many, 0x03], 'byte 0', 'more than 64 bits'],
  ['items of no size', nulls, long(1e9), 'byte 5', 'more than 500000 values'],
  ['items of no size in many blocks', nulls, [...long(3e5), ...long(3e5), 0], 'byte 6', 'more than 500000 values'],
  ['records of no size', { type: 'array', items: record('null') }, long(1e9), 'byte 5', '500000'],
  ['records of no size that double', doubled, [], 'byte 0', '500000'],
  ['depth', list, Array.from({ length: 100_000 }, () => 2), 'byte 64', 'deeper than 64'],
  ['a length beyond the end', 'string', [...long(1e9), 0x61], 'byte 6', 'ends too early'],
  ['a length below zero', 'bytes', long(-1), 'byte 1', 'a length below zero'],
  ['a length of a key below zero', map, [2, 1, 0], 'byte 2', 'a length below zero'],
  ['a key that changes a prototype', map, [2, 18, ...Buffer.from('__proto__'), 2, 0], 'byte 1', '"__proto__"'],
  [
    'a key constructor with prototype',
    { type: 'map', values: map },
    [2, 22, ...Buffer.from('constructor'), 2, 18, ...Buffer.from('prototype'), 2, 0, 0],
    'byte 1',
    '"constructor"',
  ],
  ['bad UTF-8 in a short string', 'string', [4, 0xc3, 0x28], 'byte 1', 'not UTF-8'],
  ['bad UTF-8 in a long string', 'string', [32, ...many, ...many.slice(2)], 'byte 1', 'not UTF-8'],
  ['half a surrogate pair', 'string', [6, 0xed, 0xa0, 0x80], 'byte 1', 'not UTF-8'],
  ['an empty body', 'int', [], 'byte 0', 'ends too early'],
  ['a truncated number', 'long', [0x80, 0x80], 'byte 2', 'ends too early'],
  ['a truncated long number', 'long', many, 'byte 9', 'ends too early'],
  ['a truncated double', 'double', [0, 0, 0], 'byte 3', 'ends too early'],
  ['a truncated array', ints, [4, 2, 2], 'byte 3', 'ends too early'],
  ['a longer body', 'int', [2, 2], 'byte 1', 'goes on after its end'],
  ['an int of more than 32 bits', 'int', long(2 ** 31), 'byte 0', 'more than 32 bits'],
  ['a number of more than 64 bits', 'long', [...many, 0x02], 'byte 0', 'more than 64 bits'],
  ['a number without end', 'long', [...many, ...many], 'byte 0', 'more than 64 bits'],
  ['a long that a number cannot hold', 'long', long(2 ** 60), 'byte 0', 'beyond 2^53'],
  ['a boolean that is none', 'boolean', [2], 'byte 0', 'neither 0 nor 1'],
  ['an unknown symbol', symbols, [2], 'byte 1', 'an index of a union or enum'],
  ['a symbol below zero', symbols, [1], 'byte 1', 'an index of a union or enum'],
  ['an unknown branch', ['null', 'int'], [8], 'byte 1', 'an index of a union or enum'],
  [
    'an unknown branch of an ambiguous union',
    ['null', record('int'), { ...list, name: 'X', fields: [] }],
    [8],
    'byte 1',
    'an index of',
  ],
];

/** Reads what `schema` has written as a record with the text `a`; as it was written in version 2. */
const reading = (schema: string): Codec =>
  codecOf(
    { type: 'record', name: 'A', fields: [{ name: 'a', type: 'string', default: '' }] },
    {
      registry: {
        mark: () => ({ prefix: new Uint8Array(0) }),
        writerOf: () => ({ id: '7', schema: { format: 'AVRO', text: schema }, offset: 0 }),
      },
    },
  );

const withField = (of: unknown): string =>
  JSON.stringify({
    type: 'record',
    name: 'A',
    fields: [
      { name: 'a', type: 'string' },
      { name: 'z', type: of },
    ],
  });

/** A new one at each look, without end. */
function endless(): object {
  const object = {};
  for (const name of ['l', 'r']) Object.defineProperty(object, name, { enumerable: true, get: endless });
  return object;
}

describe('hostile Avro', () => {
  it.each(cases)('refuses %s', (_, schema, bytes, at, problem) => {
    const codec = codecOf(schema);
    const begin = process.memoryUsage().heapUsed;
    let thrown: unknown;
    try {
      codec.decode(Uint8Array.from(bytes), context);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CodecError);
    expect(thrown).toMatchObject({ codec: 'application/avro', schema: 'order.placed 1', at, retryable: false });
    expect((thrown as Error).message).toContain('codecs: cannot decode "order.placed" of topic "orders" as Avro: ');
    expect((thrown as Error).message).toContain(problem);
    expect(process.memoryUsage().heapUsed - begin).toBeLessThan(30e6);
  });

  it('refuses them also in fields that the reader does not have', () => {
    // As many fields as types: the reader has none of them, so that each is skipped.
    for (const [name, schema, bytes, , problem] of cases.filter(
      ([, , , , why]) => !/UTF-8|beyond 2|proto|"constructor"|symbol|index/.test(why),
    )) {
      const written = JSON.stringify({ ...record(schema), name: 'Outer' });
      const codec = codecOf(
        { ...record(), name: 'Outer' },
        {
          registry: {
            mark: () => ({ prefix: new Uint8Array(0) }),
            writerOf: () => ({ id: name, schema: { format: 'AVRO', text: written }, offset: 0 }),
          },
        },
      );
      expect(() => codec.decode(Uint8Array.from(bytes), context)).toThrow(problem);
    }
  });

  it.each([
    [
      'a field',
      '{"type":"record","name":"A","fields":[{"name":"\\u005f_proto__","type":{"type":"map","values":"boolean"}}]}',
    ],
    ['a record', '{"type":"record","name":"\\u005f_proto__","fields":[]}'],
    ['a record with a dot before', '{"type":"record","name":".__proto__","fields":[]}'],
  ])('refuses a writer whose schema has __proto__ in disguise: %s', (_, schema) => {
    const body = Buffer.from([2, 10, ...Buffer.from('admin'), 1, 0]);
    for (const version of [1, 2])
      expect(() => reading(schema).decode(body, { ...context, version })).toThrow('would change prototypes');
    expect(() => codecOf(JSON.parse(schema))).toThrow('would change prototypes');
  });

  it.each(['constructor', 'toString', 'valueOf'])('refuses a writer whose schema has the type %s', (type) => {
    const schemas = [
      JSON.stringify(type),
      JSON.stringify({ type }),
      withField(type),
      withField({ type }),
      withField({ type: ['null', type] }),
    ];
    for (const schema of schemas)
      for (const version of [1, 2]) {
        const refuse = (): unknown => reading(schema).decode(Buffer.of(2, 0x61, 0), { ...context, version });
        expect(refuse).toThrow(CodecError);
        expect(refuse).toThrow('is no Avro schema');
      }
    // As the name of a record, it is one like others.
    const named = {
      type: 'record',
      name: 'A',
      fields: [
        { name: 'a', type: { ...record('int'), name: type } },
        { name: 'b', type },
      ],
    };
    expect(codecOf(named).decode(Buffer.of(2, 4), context)).toEqual({ a: { f0: 1 }, b: { f0: 2 } });
    // A logical type that nobody has a class for.
    expect(codecOf({ type: 'string', logicalType: type }).decode(Buffer.of(2, 0x61), context)).toBe('a');
  });

  it('looks for half a surrogate pair only as long as it is worth it', () => {
    const codec = codecOf({ type: 'record', name: 'A', fields: [{ name: 'a', type: 'string' }] });
    const refused = (value: object): unknown => {
      try {
        return codec.encode(value, context);
      } catch (error) {
        return error;
      }
    };
    let shared: object = {};
    for (let i = 0; i < 80; i += 1) shared = { l: shared, r: shared };
    const cycle: Record<string, unknown> = {};
    cycle['l'] = cycle['r'] = cycle;
    for (const extra of [shared, cycle])
      expect(refused({ extra, a: '\ud800' })).toMatchObject({ code: 'CODEC', at: '$.a' });
    expect(refused({ extra: endless(), a: '\ud800' })).toMatchObject({ code: 'CODEC', at: '$' });
    const throwing = {
      get extra() {
        throw new Error('not loaded');
      },
      a: '\ud800',
    };
    expect(refused(throwing)).toMatchObject({ code: 'CODEC', at: '$' });
  });

  it('reads what is at the limits', () => {
    const codec = codecOf(nulls, { maxValues: 10 });
    expect(codec.decode(Buffer.from([...long(4), ...long(-6), 0, 0]), context)).toHaveLength(10);
    expect(() => codec.decode(Buffer.from([...long(4), ...long(7), 0]), context)).toThrow('more than 10 values');
    const deep = codecOf(list, { maxDepth: 3 });
    expect(deep.decode(Buffer.of(2, 2, 0), context)).toEqual({ next: { next: { next: null } } });
    expect(() => deep.decode(Buffer.of(2, 2, 2, 0), context)).toThrow('deeper than 3');
    // After a refusal it begins anew.
    expect(deep.decode(Buffer.of(2, 2, 0), context)).toEqual({ next: { next: { next: null } } });
  });

  it('finds records that hold themselves by way of others', () => {
    const tree = {
      type: 'record',
      name: 'shop.A',
      fields: [
        {
          name: 'b',
          type: { type: 'record', name: 'B', fields: [{ name: 'as', type: { type: 'array', items: 'A' } }] },
        },
        { name: 'c', type: ['null', { type: 'record', name: 'C', fields: [{ name: 'b', type: 'shop.B' }] }] },
      ],
    };
    const codec = codecOf(tree, { maxDepth: 5 });
    const deep = Array.from({ length: 50_000 }, () => 2);
    expect(() => codec.decode(Uint8Array.from(deep), context)).toThrow('deeper than 5');
  });
});
