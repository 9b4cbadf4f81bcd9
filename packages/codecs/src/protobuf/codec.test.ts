import { BentoError, type Codec, type CodecContext, type Encoded } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { refusedAtOnce } from '../../test/support/refusal.ts';
import type { SchemaRegistry } from '../registry/port.ts';
import { createProtobufCodec, type ProtobufCodecOptions } from './index.ts';

const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };

const proto = `
  syntax = "proto3";
  package shop;
  import "google/protobuf/timestamp.proto";
  message Other {}
  message Orders {
    message Item { string sku = 1; sint32 quantity = 2; double price = 3; }
    message OrderPlaced {
      enum Status { NEW = 0; PAID = 1; }
      string order_id = 1;
      int64 at = 2;
      Status status = 3;
      optional string note = 4;
      repeated Item items = 5;
      map<string, int32> tags = 6;
      google.protobuf.Timestamp placed = 7;
      oneof payment { string card = 8; int32 cash = 9; Item swap = 13; }
      repeated uint32 numbers = 10;
      bytes raw = 11;
      repeated Status states = 12;
    }
  }`;
const all = `
  syntax = "proto3";
  message All {
    double double = 1; float float = 2; int32 int32 = 3; uint32 uint32 = 4; sint32 sint32 = 5; fixed32 fixed32 = 6; sfixed32 sfixed32 = 7;
    int64 int64 = 8; uint64 uint64 = 9; sint64 sint64 = 10; fixed64 fixed64 = 11; sfixed64 sfixed64 = 12; bool bool = 13; string string = 14;
    bytes bytes = 15; string constructor = 3000; optional int32 toString = 16;
    map<int32, string> byInt = 20; map<uint64, bool> byLong = 21; map<bool, double> byBool = 22; map<string, All> byName = 23; All all = 24;
  }`;
const value = {
  orderId: 'o-1',
  at: 1_732_176_000_000,
  status: 'PAID',
  items: [{ sku: 'a', quantity: -3, price: 2.5 }],
  tags: { first: 1 },
  placed: { seconds: 5, nanos: 7 },
  cash: 0,
  numbers: [0, 1, 4_294_967_295],
  raw: Buffer.of(1, 2),
  states: ['NEW', 'PAID'],
};

const codecOf = (
  text: unknown = proto,
  message = 'shop.Orders.OrderPlaced',
  rest: Partial<ProtobufCodecOptions> = {},
): Codec => createProtobufCodec({ types: { 'order.placed': { proto: text as string, message } }, ...rest });
const encode = (codec: Codec, data: unknown): Buffer =>
  Buffer.from((codec.encode(data, context) as { body: Uint8Array }).body);
const raw = (text: string, message: string): protobuf.Type => {
  const { root, imports = [] } = protobuf.parse(text);
  for (const path of imports) root.addJSON(protobuf.common.get(path)?.nested ?? {});
  return root.lookupType(message);
};

/** An entry of a map that is field 1: its key, and the bytes of its value. */
const entry = (key: string, ...bytes: number[]): number[] => [
  0x0a,
  3 + bytes.length,
  0x0a,
  1,
  ...Buffer.from(key),
  ...bytes,
];

describe('Protobuf', () => {
  it('writes what protobufjs writes and reads plain data', () => {
    const codec = codecOf();
    const type = raw(proto, 'shop.Orders.OrderPlaced');
    const body = encode(codec, value);
    expect(body).toEqual(Buffer.from(type.encode(type.fromObject(value)).finish()));
    const read = codec.decode(body, context) as typeof value;
    expect(read).toStrictEqual(value);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(codec.contentType).toBe('application/protobuf');
  });

  it('has defaults for fields without presence, and only those', () => {
    const nothing = {
      orderId: '',
      at: 0,
      status: 'NEW',
      items: [],
      tags: {},
      numbers: [],
      raw: Buffer.alloc(0),
      states: [],
    };
    expect(codecOf().decode(Buffer.alloc(0), context)).toStrictEqual(nothing);
    const body = encode(codecOf(), { orderId: undefined, note: null, placed: null });
    expect(body).toHaveLength(0);
    // A default on the wire, as some writers put it.
    expect(codecOf().decode(Buffer.of(0x0a, 0, 0x10, 0, 0x22, 0), context)).toStrictEqual({ ...nothing, note: '' });
  });

  it.each([
    ['number', 0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    ['string', '0', '18446744073709551615', '-9223372036854775808'],
    ['bigint', 0n, 2n ** 64n - 1n, -(2n ** 63n)],
  ] as const)('carries every type, with longs as %s', (longs, zero, most, least) => {
    const codec = codecOf(all, 'All', { longs });
    const numbers = {
      double: -0,
      float: 0.5,
      int32: -1,
      uint32: 2 ** 32 - 1,
      sint32: -(2 ** 31),
      fixed32: 7,
      sfixed32: -7,
    };
    const scalars = {
      ...numbers,
      int64: least,
      uint64: most,
      sint64: least,
      fixed64: most,
      sfixed64: least,
      bool: true,
    };
    const floats = { double: 0, float: 0, bool: false, string: '', bytes: Buffer.alloc(0), constructor: '' };
    const ints = { int32: 0, uint32: 0, sint32: 0, fixed32: 0, sfixed32: 0 };
    const longInts = { int64: zero, uint64: zero, sint64: zero, fixed64: zero, sfixed64: zero };
    const empty = { ...floats, ...ints, ...longInts, byInt: {}, byLong: {}, byBool: {}, byName: {} };
    const full = {
      ...scalars,
      string: 'x'.repeat(200),
      bytes: Buffer.of(9),
      constructor: 'c',
      toString: 0,
      byInt: { '-1': 'a' },
      byLong: { [String(most)]: true },
      byBool: { true: 1.5 },
      byName: { a: empty },
      all: { ...empty, string: 'within' },
    };
    const body = encode(codec, full);
    expect(codec.decode(body, context)).toStrictEqual(full);
    expect(codec.decode(encode(codec, {}), context)).toStrictEqual(empty);
    const type = raw(all, 'All');
    const read = type.toObject(type.decode(body), { longs: String, defaults: true, arrays: true, objects: true });
    expect(read).toMatchObject({
      ...numbers,
      int64: String(least),
      uint64: String(most),
      sint64: String(least),
      fixed64: String(most),
      sfixed64: String(least),
    });
  });

  it.each([
    ['text for a number', { ...value, numbers: [1, '2'] }, '$.numbers[1]', 'a string where the schema has a uint32'],
    ['a number below zero', { ...value, numbers: [-1] }, '$.numbers[0]', 'a uint32'],
    ['a number for text', { ...value, orderId: 7 }, '$.orderId', 'an integer where the schema has a string'],
    ['text for a long', { ...value, at: '5' }, '$.at', 'an int64 (as a number up to 2^53)'],
    ['a long beyond 2^53', { ...value, at: 2 ** 60 }, '$.at', 'an int64'],
    ['an unknown symbol', { ...value, status: 'GONE' }, '$.status', 'a symbol of Status (NEW, PAID)'],
    ['a symbol of objects', { ...value, states: ['NEW', 'constructor'] }, '$.states[1]', 'a symbol of Status'],
    [
      'a field of an item',
      { ...value, items: [value.items[0], { sku: 'a', quantity: 1.5 }] },
      '$.items[1].quantity',
      'a sint32',
    ],
    ['no item', { ...value, items: [null] }, '$.items[0]', 'null where the schema has message Item'],
    ['no array', { ...value, items: {} }, '$.items', 'an array'],
    ['null without presence', { ...value, orderId: null }, '$.orderId', 'null where'],
    ['a Map', { ...value, tags: new Map() }, '$.tags', 'an instance of Map where the schema has a map'],
    ['an entry', { ...value, tags: { 'a b': 'x' } }, '$.tags["a b"]', 'an int32'],
    ['a key __proto__', { ...value, tags: JSON.parse('{"__proto__":1}') }, '$.tags', '"__proto__"'],
    ['two members of a oneof', { ...value, card: 'x' }, '$.cash', '"card" is set too'],
    ['half a surrogate pair', { ...value, items: [{ sku: `x\ud800` }] }, '$.items[0].sku', 'surrogate'],
    ['no bytes', { ...value, raw: 'AQI=' }, '$.raw', 'a string where the schema has bytes'],
    ['a field of a message', { ...value, placed: { seconds: 'x' } }, '$.placed.seconds', 'int64'],
    ['no message', [], '$', 'an array where the schema has message OrderPlaced'],
    ['nothing', undefined, '$', 'nothing where'],
  ])('refuses %s with its path', (_, data, at, problem) => {
    const error = refusedAtOnce(() => codecOf().encode(data, context));
    expect(error).toMatchObject({ codec: 'application/protobuf', code: 'CODEC', at });
    expect(error.message).toContain(problem);
    expect(error.message).toMatch(/^codecs: cannot encode "order.placed" of topic "orders" as Protobuf: /);
  });

  it.each([
    ['float', { float: 1e300 }, '$.float'],
    ['key of ints', { byInt: { x: 'a' } }, '$.byInt.x'],
    ['key of bools', { byBool: { yes: 1 } }, '$.byBool.yes'],
    ['key beyond its type', { byInt: { 4294967296: 'a' } }, '$.byInt[4294967296]'],
  ])('refuses a wrong %s', (_, data, at) => {
    expect(refusedAtOnce(() => codecOf(all, 'All').encode(data, context)).at).toBe(at);
  });

  it('tells a value that throws from one that does not fit', () => {
    const odd = {
      get orderId() {
        throw new Error('not loaded');
      },
    };
    expect(refusedAtOnce(() => codecOf().encode(odd, context)).message).toContain(
      'threw while it was read (not loaded)',
    );
  });

  it('reads what later versions write, and merges what comes in pieces', () => {
    const codec = codecOf();
    const more = raw(
      'syntax="proto3"; message M { string orderId = 1; M within = 99; repeated string texts = 100; double d = 101; fixed32 f = 102; int64 l = 103; }',
      'M',
    );
    const body = more.encode({ orderId: 'o', within: { d: 1 }, texts: ['a'], d: 1, f: 2, l: 3 }).finish();
    expect(codec.decode(body, context)).toMatchObject({ orderId: 'o', items: [] });
    const pieces = Buffer.concat([encode(codec, { placed: { seconds: 5 } }), encode(codec, { placed: { nanos: 7 } })]);
    expect(codec.decode(pieces, context)).toMatchObject({ placed: { seconds: 5, nanos: 7 } });
    const members = Buffer.concat([encode(codec, { cash: 5 }), encode(codec, { card: 'x' })]);
    const read = codec.decode(members, context) as object;
    expect(read).toMatchObject({ card: 'x' });
    expect(read).not.toHaveProperty('cash');
    // Numbers of a packed field one by one, and an unknown symbol.
    expect(codec.decode(Buffer.of(0x50, 1, 0x50, 2, 0x18, 9), context)).toMatchObject({ numbers: [1, 2], status: 9 });
  });

  it('follows proto2 in presence, required fields and closed enums', () => {
    const text = `syntax = "proto2"; message M { enum E { A = 1; B = 2; } required string id = 1; optional E one = 2; repeated E many = 3; optional int32 n = 4 [default = 5]; }`;
    const codec = codecOf(text, 'M');
    expect(codec.decode(encode(codec, { id: '', one: 'A', many: ['B'] }), context)).toStrictEqual({
      id: '',
      one: 'A',
      many: ['B'],
    });
    expect(codec.decode(Buffer.of(0x0a, 0, 0x10, 9, 0x18, 9, 0x18, 2), context)).toStrictEqual({ id: '', many: ['B'] });
    expect(refusedAtOnce(() => codec.encode({}, context))).toMatchObject({ at: '$.id' });
    expect(refusedAtOnce(() => codec.encode({ id: '', one: 9 }, context))).toMatchObject({ at: '$.one' });
    expect(refusedAtOnce(() => codec.decode(Buffer.of(0x10, 1), context)).message).toContain('required field "id"');
  });

  it('leaves out an entry of a map whose symbol a closed enum does not know', () => {
    const text = 'syntax = "proto2"; message M { map<string, E> map = 1; } enum E { X = 0; Y = 1; }';
    const codec = codecOf(text, 'M');
    const body = Buffer.from([
      ...entry('a', 0x10, 9),
      ...entry('b', 0x10, 1),
      ...entry('c'),
      ...entry('d', 0x10, 9, 0x10, 1),
    ]);
    expect(codec.decode(body, context)).toStrictEqual({ map: { b: 'Y', c: 'X', d: 'Y' } });
    const open = codecOf(text.replace('proto2', 'proto3'), 'M');
    expect(open.decode(body, context)).toStrictEqual({ map: { a: 9, b: 'Y', c: 'X', d: 'Y' } });
  });

  it('has fields of its own by the names of what every object has', () => {
    const text =
      'syntax = "proto3"; message A { B constructor = 1; B to_string = 2; } message B { string keys = 1; string frozen = 2; }';
    const codec = codecOf(text, 'A');
    const keys = Object.getOwnPropertyDescriptor(Object, 'keys') as PropertyDescriptor;
    const shared = Object.getOwnPropertyDescriptor(Object.prototype, 'toString')?.value as object;
    try {
      const body = Buffer.of(0x0a, 4, 0x0a, 2, 0x68, 0x69, 0x12, 4, 0x12, 2, 0x68, 0x69);
      const read = codec.decode(body, context);
      expect(Object.getOwnPropertyDescriptor(Object, 'keys')).toEqual(keys);
      expect(Object.hasOwn(shared, 'frozen')).toBe(false);
      expect(read).toEqual({ constructor: { keys: 'hi', frozen: '' }, toString: { keys: '', frozen: 'hi' } });
      // What comes in pieces is still merged, with what is there itself.
      const pieces = Buffer.of(0x0a, 4, 0x0a, 2, 0x68, 0x69, 0x0a, 3, 0x12, 1, 0x68);
      expect(codec.decode(pieces, context)).toEqual({ constructor: { keys: 'hi', frozen: 'h' } });
    } finally {
      Object.defineProperty(Object, 'keys', keys);
      Reflect.deleteProperty(Object, 'frozen');
      Reflect.deleteProperty(shared, 'frozen');
    }
    const required = codecOf('syntax = "proto2"; message A { required string to_string = 1; }', 'A');
    expect(refusedAtOnce(() => required.decode(Buffer.alloc(0), context)).message).toContain(
      'required field "toString"',
    );
    expect(refusedAtOnce(() => required.encode({}, context)).at).toBe('$.toString');
    const either = codecOf('syntax = "proto3"; message A { oneof k { string constructor = 1; string zed = 2; } }', 'A');
    expect(encode(either, { zed: 'q' })).toEqual(Buffer.of(0x12, 1, 0x71));
    expect(either.decode(Buffer.of(0x12, 1, 0x71), context)).toEqual({ zed: 'q' });
    expect(either.decode(Buffer.of(0x0a, 1, 0x63, 0x12, 1, 0x71), context)).toEqual({ zed: 'q' });
    expect(refusedAtOnce(() => either.encode({ constructor: 'c', zed: 'q' }, context)).message).toContain(
      '"constructor" is set',
    );
  });

  it('takes descriptor sets, Roots and their JSON', () => {
    const { root } = raw(proto, 'shop.Orders.OrderPlaced');
    const set = descriptor.FileDescriptorSet.encode(root.toDescriptor('proto3')).finish();
    const body = encode(codecOf(), value);
    for (const given of [root, root.toJSON(), set]) expect(codecOf(given).decode(body, context)).toEqual(value);
    expect(codecOf(proto, undefined, { keepCase: true }).decode(body, context)).toMatchObject({ order_id: 'o-1' });
  });

  it('names every fault of its options', () => {
    const message = 'M';
    const create = (): Codec =>
      createProtobufCodec({
        types: {
          a: { proto: 'message', message },
          b: { proto: 'syntax="proto3";', message },
          c: { proto: 'syntax="proto3"; import "x.proto"; message M {}', message },
          d: { proto: 'syntax="proto2"; message M { optional group G = 1 { } }', message },
          e: { proto: raw(all, 'All').root, message: 'All' },
        },
        longs: 'long' as never,
        registry: {} as never,
      });
    expect(create).toThrow(BentoError);
    expect(create).toThrow(
      /^codecs: cannot create a "Protobuf codec": longs is "long".*\["a"\]\[1\]: illegal type name.*there is no message "M".*import "x.proto".*is a group.*needs the text.*registry must be/,
    );
  });
});

describe('Protobuf with a registry', () => {
  const asked: unknown[] = [];
  const registry: SchemaRegistry = {
    mark(schema, _, message) {
      asked.push([schema.format, message]);
      return { prefix: Uint8Array.of(0, 0, 7) };
    },
    writerOf: (body) =>
      body[0] === 0
        ? { id: '7', schema: { format: 'PROTOBUF', text: proto }, offset: 3, message: body[1] === 0 ? [1, 1] : [1, 0] }
        : undefined,
  };
  const codec = codecOf(proto, undefined, { registry });

  it('marks bodies with the place of their message, and reads them again', () => {
    const { body } = codec.encode(value, context) as Encoded;
    expect(Buffer.from(body).subarray(0, 3)).toEqual(Buffer.of(0, 0, 7));
    expect(asked).toEqual([['PROTOBUF', [1, 1]]]);
    expect(codec.decode(body, context)).toEqual(value);
    expect(codec.decode(Buffer.of(0x50, 1), context)).toMatchObject({ numbers: [1] });
  });

  it('refuses another message of the file', () => {
    const error = refusedAtOnce(() => codec.decode(Buffer.of(0, 1, 7), context));
    expect(error.message).toContain('its body is the message "shop.Orders.Item", not "shop.Orders.OrderPlaced"');
  });

  it.each([
    [
      'another message at the same place',
      'syntax = "proto3"; package shop; message Reset { string user = 1; }',
      [0],
      '"shop.Reset"',
    ],
    [
      'a place that the schema does not have',
      'syntax = "proto3"; package shop; message Placed { string id = 1; }',
      [3],
      'no message',
    ],
    ['another place of what cannot be read', 'message {', [1], 'no message'],
  ])('refuses %s', (_, text, message, found) => {
    const error = refusedAtOnce(() => written(text, message).decode(Buffer.of(0x0a, 1, 0x61), context));
    expect(error.message).toContain(`its body is ${found.startsWith('"') ? 'the message ' : ''}${found}`);
    expect(error.message).toContain('not "shop.Placed"');
  });

  it.each([
    [
      'another text of its message',
      'syntax = "proto3"; package shop; message Placed { string id = 1; int32 n = 2; }',
      [0],
    ],
    [
      'its message elsewhere',
      'syntax = "proto3"; package shop; message Other {} message Placed { string id = 1; }',
      [1],
    ],
    ['its own place in what cannot be read', 'message {', [0]],
  ])('reads %s', (_, text, message) => {
    const reader = written(text, message);
    for (let i = 0; i < 2; i += 1) expect(reader.decode(Buffer.of(0x0a, 1, 0x61), context)).toStrictEqual({ id: 'a' });
  });
});

/** A codec of `shop.Placed` whose bodies another file's message has written. */
function written(text: string, message: readonly number[]): Codec {
  const registry: SchemaRegistry = {
    mark: () => ({ prefix: new Uint8Array(0) }),
    writerOf: () => ({ id: '9', schema: { format: 'PROTOBUF', text }, offset: 0, message }),
  };
  return codecOf('syntax = "proto3"; package shop; message Placed { string id = 1; }', 'shop.Placed', { registry });
}
