import { BentoError, type Codec, type CodecContext } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import { refusedAtOnce } from '../../test/support/refusal.ts';
import { type AvroCodecOptions, createAvroCodec } from './index.ts';

const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };

const item = {
  type: 'record',
  name: 'Item',
  fields: [
    { name: 'sku', type: 'string' },
    { name: 'quantity', type: 'int' },
    { name: 'price', type: 'double' },
  ],
};
const order = {
  type: 'record',
  name: 'OrderPlaced',
  namespace: 'shop',
  fields: [
    { name: 'orderId', type: 'string' },
    { name: 'at', type: 'long' },
    { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['NEW', 'PAID'] } },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'items', type: { type: 'array', items: item } },
    { name: 'tags', type: { type: 'map', values: 'long' }, default: {} },
  ],
};
const value = {
  orderId: 'o-1',
  at: 1_732_176_000_000,
  status: 'PAID',
  note: null,
  items: [{ sku: 'a', quantity: -3, price: 2.5 }],
  tags: { first: 1 },
};

const codecOf = (schema: unknown, rest: Partial<AvroCodecOptions> = {}): Codec =>
  createAvroCodec({ schemas: { 'order.placed': schema as string }, ...rest });
const encode = (codec: Codec, data: unknown, over: Partial<CodecContext> = {}): Buffer =>
  Buffer.from((codec.encode(data, { ...context, ...over }) as { body: Uint8Array }).body);
const field = (type: unknown, more: object = {}): object => ({
  type: 'record',
  name: 'R',
  fields: [{ name: 'a', type, ...more }],
});

describe('Avro', () => {
  it('writes what avsc writes and reads plain data', () => {
    const codec = codecOf(order);
    const body = encode(codec, value);
    expect(body).toEqual(avsc.Type.forSchema(order as never).toBuffer(value));
    const read = codec.decode(body, context) as typeof value;
    // Strict: the prototypes count too.
    expect(read).toStrictEqual(value);
    expect(Object.getPrototypeOf(read.items[0])).toBe(Object.prototype);
    expect(codec.contentType).toBe('application/avro');
  });

  it('gives a missing property its default and leaves out what the schema does not name', () => {
    const codec = codecOf(JSON.stringify(order));
    const { note: _note, tags: _tags, ...rest } = value;
    expect(codec.decode(encode(codec, { ...rest, more: 1 }), context)).toStrictEqual({ ...rest, note: null, tags: {} });
  });

  it('takes the schema of the type and version, and names those it has', () => {
    const codec = createAvroCodec({
      schemas: { 'order.placed': { 1: '"string"', 3: '"int"' }, 'order.paid': '"long"' },
    });
    expect(codec.decode(encode(codec, 7, { version: 3 }), { ...context, version: 3 })).toBe(7);
    expect(codec.decode(encode(codec, 8, { type: 'order.paid' }), { ...context, type: 'order.paid' })).toBe(8);
    expect(refusedAtOnce(() => codec.encode(1, { ...context, version: 2 })).message).toBe(
      'codecs: cannot encode "order.placed" of topic "orders" as Avro: there is no schema for its version 2 (there is version 1, version 3). Add it to schemas.',
    );
    expect(refusedAtOnce(() => codec.decode(Buffer.of(0), { ...context, type: 'x' })).message).toContain(
      '(there is order.placed, order.paid)',
    );
  });

  it.each([
    ['a wrong type', { ...value, orderId: 7 }, '$.orderId', 'an integer where the schema has string'],
    [
      'an item',
      { ...value, items: [value.items[0], { sku: 'b', quantity: 1.5, price: 1 }] },
      '$.items[1].quantity',
      'int',
    ],
    ['an entry', { ...value, tags: { 'a b': 'x' } }, '$.tags["a b"]', 'a string where the schema has long'],
    ['an absent field', { ...value, at: undefined }, '$.at', 'nothing where the schema has long'],
    ['a symbol', { ...value, status: 'constructor' }, '$.status', 'enum shop.Status'],
    ['a branch', { ...value, note: 5 }, '$.note', 'one of null, string'],
    ['a long beyond 2^53', { ...value, at: 2 ** 60 }, '$.at', 'beyond 2^53'],
    [
      'half a surrogate pair',
      { ...value, items: [{ ...value.items[0], sku: `x\ud800` }] },
      '$.items[0].sku',
      'surrogate',
    ],
    ['a Map', { ...value, tags: new Map([['a', 1]]) }, '$.tags', 'an instance of Map where the schema has map'],
    ['a key __proto__', { ...value, tags: JSON.parse('{"__proto__":1}') }, '$.tags', 'map'],
    ['no record', 'text', '$', 'a string where the schema has record shop.OrderPlaced'],
    ['nothing', undefined, '$', 'nothing where'],
  ])('refuses %s with its path', (_, data, at, problem) => {
    const error = refusedAtOnce(() => codecOf(order).encode(data, context));
    expect(error).toMatchObject({ codec: 'application/avro', code: 'CODEC', at });
    expect(error.message).toContain(problem);
    expect(error.message).toMatch(/^codecs: cannot encode "order.placed" of topic "orders" as Avro: /);
  });

  it('never shows the payload in an error', () => {
    const error = refusedAtOnce(() =>
      codecOf(order).encode({ ...value, orderId: ['secret'], items: 'secret' }, context),
    );
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain('secret');
  });

  it('refuses cycles, depth and what shares structure without end', () => {
    const tree = { type: 'record', name: 'Tree', fields: [{ name: 'below', type: { type: 'array', items: 'Tree' } }] };
    const codec = codecOf(tree, { maxBytes: 1_000 });
    const cycle: { below: unknown[] } = { below: [] };
    cycle.below.push(cycle);
    expect(refusedAtOnce(() => codec.encode(cycle, context)).message).toContain('deeper than 64');
    let shared: object = { below: [] };
    for (let i = 0; i < 60; i += 1) shared = { below: [shared, shared] };
    expect(refusedAtOnce(() => codec.encode(shared, context)).message).toContain('1000 bytes allowed');
  });

  it('writes bodies of every size up to maxBytes', () => {
    const codec = codecOf('"string"', { maxBytes: 1_000_000 });
    for (const size of [0, 39, 40, 41, 63, 64, 4_000, 4_094, 4_095, 4_096, 300_000, 999_997]) {
      const text = 'x'.repeat(size);
      expect(codec.decode(encode(codec, text), context) === text).toBe(true);
    }
    expect(refusedAtOnce(() => codec.encode('x'.repeat(1_000_000), context)).message).toContain(
      '1000000 bytes allowed',
    );
    expect(refusedAtOnce(() => codec.decode(Buffer.alloc(1_000_001), context)).message).toContain(
      '1000000 bytes allowed',
    );
  });

  it('carries text of all kinds', () => {
    const codec = codecOf('"string"');
    for (const text of [
      '',
      'é',
      '€uro',
      '😀',
      '\ufffd',
      'ab\ufffdcd and more than twelve',
      'a'.repeat(50) + '漢字',
      '\u0000',
    ])
      expect(codec.decode(encode(codec, text), context)).toBe(text);
  });

  it('takes bytes of every kind, in unions too, and gives Buffers that share nothing', () => {
    const fixed = { type: 'fixed', name: 'F', size: 2 };
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: 'bytes' },
        { name: 'b', type: ['null', 'bytes'] },
        { name: 'c', type: fixed },
      ],
    };
    const codec = codecOf(schema);
    const bytes = Uint8Array.of(1, 2);
    const body = encode(codec, { a: bytes, b: bytes, c: bytes });
    const read = codec.decode(body, context) as Record<string, Buffer>;
    expect(read).toEqual({ a: Buffer.of(1, 2), b: Buffer.of(1, 2), c: Buffer.of(1, 2) });
    body.fill(0);
    expect(read['a']).toEqual(Buffer.of(1, 2));
    expect(refusedAtOnce(() => codec.encode({ a: bytes, b: bytes, c: Uint8Array.of(1) }, context)).at).toBe('$.c');
  });

  it('carries every long that a number holds, where avsc loses the last bit', () => {
    const [codec, wide] = [codecOf(field('long')), codecOf(field('long'), { longs: 'bigint' })];
    const most = Number.MAX_SAFE_INTEGER;
    for (const size of [0, 63, 64, 2 ** 29, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 32 + 1, 2 ** 52 + 1, most - 1, most])
      for (const a of [size, -size, -size - 1].filter((one) => Math.abs(one) <= most)) {
        const body = encode(codec, { a: a + 0 });
        expect(codec.decode(body, context)).toEqual({ a: a + 0 });
        expect(wide.decode(body, context)).toEqual({ a: BigInt(a) });
        expect(encode(wide, { a: BigInt(a) })).toEqual(body);
      }
    for (const a of [most + 1, -most - 1, 0.5, Number.NaN, '1'])
      expect(refusedAtOnce(() => codec.encode({ a }, context)).at).toBe('$.a');
    const optional = codecOf(field(['null', 'long']));
    expect(optional.decode(encode(optional, { a: -most }), context)).toEqual({ a: -most });
  });

  it('carries longs as bigints when asked', () => {
    const codec = codecOf(field('long', { default: 5 }), { longs: 'bigint' });
    for (const a of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n])
      expect(codec.decode(encode(codec, { a }), context)).toEqual({ a });
    expect(codec.decode(encode(codec, {}), context)).toEqual({ a: 5n });
    expect(refusedAtOnce(() => codec.encode({ a: 1 }, context)).message).toContain(
      'an integer where the schema has long',
    );
    expect(refusedAtOnce(() => codec.encode({ a: 2n ** 63n }, context)).at).toBe('$.a');
    const body = encode(codec, { a: 2n ** 60n });
    const error = refusedAtOnce(() => codecOf(field('long')).decode(body, context));
    expect(error).toMatchObject({ at: 'byte 0' });
    expect(error.message).toContain("Set longs to 'bigint'");
  });

  it('gives values of ambiguous unions as plain objects', () => {
    const [a, b] = [
      { ...field('int'), name: 'A' },
      { ...field('int'), name: 'B' },
    ];
    const codec = codecOf({ type: 'array', items: ['null', a, b] });
    const items = [null, { B: { a: 1 } }, { A: { a: 2 } }];
    expect(codec.decode(encode(codec, items), context)).toStrictEqual(items);
    expect(refusedAtOnce(() => codec.encode([{ a: 1 }], context)).at).toBe('$[0]');
  });

  it('uses logical types, also to decode another body within', () => {
    const inner = codecOf('"int"');
    class DateType extends avsc.types.LogicalType {
      override _fromValue(at: number): Date {
        expect(inner.decode(Buffer.of(2), context)).toBe(1);
        expect(codec.decode(encode(codec, []), context)).toEqual([]);
        return new Date(at);
      }
      override _toValue(date: unknown): number | undefined {
        return date instanceof Date ? date.getTime() : undefined;
      }
      override _resolve(): undefined {}
    }
    const codec: Codec = codecOf(
      { type: 'array', items: { type: 'long', logicalType: 'timestamp-millis' } },
      { logicalTypes: { 'timestamp-millis': DateType } },
    );
    const dates = [new Date(0), new Date(1_732_176_000_000)];
    expect(codec.decode(encode(codec, dates), context)).toEqual(dates);
    expect(refusedAtOnce(() => codec.encode(['x'], context)).at).toBe('$[0]');
  });

  it('lets a getter encode another value meanwhile', () => {
    const codec = codecOf(order);
    const odd = {
      ...value,
      get status() {
        encode(codec, { ...value, orderId: 'another one' });
        return 'PAID';
      },
    };
    expect(codec.decode(encode(codec, odd), context)).toEqual(value);
  });

  it('names every fault of its options', () => {
    const wrong = '{';
    const create = (): Codec =>
      createAvroCodec({
        schemas: {
          a: wrong,
          b: { 0: '"int"', 1: '"nothing"' },
          c: JSON.stringify(field('int')).replace('"a"', '"__proto__"'),
        },
        longs: 'long' as never,
        maxDepth: 0,
        registry: {} as never,
      });
    expect(create).toThrow(BentoError);
    expect(create).toThrow(
      /^codecs: cannot create an "Avro codec": maxDepth is 0.*longs is "long".*schemas\["a"\]\[1\]: it is no JSON.*schemas\["b"\] has no version "0".*undefined type name: nothing.*__proto__.*registry must be/,
    );
    expect(() => createAvroCodec({ schemas: {} })).toThrow('schemas is empty');
  });
});
