import { type Codec, type CodecContext, CodecError } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createProtobufCodec } from './index.ts';

const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };
const proto = `
  syntax = "proto3";
  message M {
    string text = 1; int64 long = 2; repeated M all = 3; map<string, M> map = 4; double double = 5; repeated int32 numbers = 6; bytes bytes = 7;
    map<string, string> texts = 8; repeated Empty empty = 9;
  }
  message Empty {}`;
const codecOf = (rest: object = {}): Codec =>
  createProtobufCodec({ types: { 'order.placed': { proto, message: 'M' } }, ...rest });

const ascii = (text: string): number[] => [text.length, ...Buffer.from(text)];
const within = (key: string): number[] => [0x22, key.length + 2, 0x0a, ...ascii(key)];
const many = Array.from({ length: 9 }, () => 0xff);
/** Messages inside one another, the innermost empty. */
const nested = (tag: number, depth: number): number[] => {
  if (depth === 0) return [];
  const inner = nested(tag, depth - 1);
  const { length } = inner;
  return [tag, ...(length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]), ...inner];
};

describe('hostile Protobuf', () => {
  it.each<[string, number[], string, string]>([
    ['a length beyond the end', [0x0a, 0xff, 0xff, 0xff, 0x07, 0x61], 'byte 6', 'ends too early'],
    ['a length of more than 32 bits', [0x0a, 0x81, 0x80, 0x80, 0x80, 0x80, 0x01, 0x61], 'byte 8', 'ends too early'],
    ['a message beyond its holder', [0x1a, 2, 0x0a, 5, 1, 1, 1, 1, 1], 'byte 4', 'ends too early'],
    ['a number beyond its holder', [0x1a, 2, 0x10, 0x80, 0x01], 'byte 4', 'ends too early'],
    ['a truncated tag', [0x80], 'byte 1', 'ends too early'],
    ['a truncated number', [0x10, 0x80], 'byte 2', 'ends too early'],
    ['a truncated double', [0x29, 0, 0], 'byte 3', 'ends too early'],
    ['a tag without a number', [0x10], 'byte 1', 'ends too early'],
    ['field zero', [0x02, 0], 'byte 0', 'a number that is none'],
    ['a field number beyond 29 bits', [0x82, 0x80, 0x80, 0x80, 0x10, 0], 'byte 0', 'a number that is none'],
    ['a wire type that is none', [0x0f, 0], 'byte 1', 'wire type 7'],
    ['the end of no group', [0x0c], 'byte 1', 'wire type 4'],
    ['a group without an end', [0x0b, 0x10, 1], 'byte 3', 'ends too early'],
    ['a number of more than 64 bits', [0x10, ...many, 0x02], 'byte 1', 'more than 64 bits'],
    ['a number without end', [0x10, ...many, ...many], 'byte 1', 'more than 64 bits'],
    ['a long that a number cannot hold', [0x10, ...many.slice(1), 0x0f], 'byte 10', 'beyond 2^53'],
    ['bad UTF-8 in a short text', [0x0a, 2, 0xc3, 0x28], 'byte 2', 'not UTF-8'],
    ['bad UTF-8 in a long text', [0x0a, 18, ...many, ...many], 'byte 2', 'not UTF-8'],
    ['a key that changes a prototype', [0x42, 11, 0x0a, ...ascii('__proto__')], 'byte 13', '"__proto__"'],
    ['depth', nested(0x1a, 100), 'byte 164', 'deeper than 64'],
    ['depth of groups', Array.from({ length: 100_000 }, () => 0x0b), 'byte 65', 'deeper than 64'],
    [
      'many empty items',
      Array.from({ length: 1_200_000 }, (_, i) => (i % 2 === 0 ? 0x4a : 0)),
      'byte 499991',
      '500000',
    ],
    ['many numbers', [0x32, 0x80, 0x89, 0x7a, ...Array.from({ length: 2_000_000 }, () => 0)], 'byte 499994', '500000'],
    ['many entries', Array.from({ length: 1_200_000 }, (_, i) => (i % 2 === 0 ? 0x42 : 0)), 'byte 333327', '500000'],
  ])('refuses %s', (_, bytes, at, problem) => {
    let thrown: unknown;
    try {
      codecOf().decode(Uint8Array.from(bytes), context);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CodecError);
    expect(thrown).toMatchObject({ codec: 'application/protobuf', at, retryable: false });
    expect((thrown as Error).message).toContain('cannot decode "order.placed" of topic "orders" as Protobuf: ');
    expect((thrown as Error).message).toContain(problem);
  });

  it('refuses a key constructor only with what it is for', () => {
    expect(codecOf().decode(Uint8Array.from(within('constructor')), context)).toMatchObject({
      map: { constructor: {} },
    });
    const named = `syntax = "proto3"; message M { map<string, P> map = 4; } message P { string prototype = 1; }`;
    const codec = createProtobufCodec({ types: { 'order.placed': { proto: named, message: 'M' } } });
    expect(() => codec.decode(Uint8Array.from(within('constructor')), context)).toThrow('can change a prototype');
    expect(() => codec.encode({ map: { constructor: { prototype: 'x' } } }, context)).toThrow('can change a prototype');
  });

  it('refuses cycles, depth and what shares structure without end', () => {
    const cycle: { all: unknown[] } = { all: [] };
    cycle.all.push(cycle);
    expect(() => codecOf().encode(cycle, context)).toThrow('deeper than 64');
    let shared: object = { text: 'x' };
    for (let i = 0; i < 60; i += 1) shared = { all: [shared, shared] };
    expect(() => codecOf({ maxBytes: 10_000 }).encode(shared, context)).toThrow('10000 bytes allowed');
  });

  it('reads and writes what is at the limits', () => {
    const codec = codecOf({ maxBytes: 300_000, maxValues: 33, maxDepth: 3 });
    const carry = (value: object): unknown =>
      codec.decode((codec.encode(value, context) as { body: Buffer }).body, context);
    for (const size of [40, 41, 127, 128, 4_093, 4_094, 299_996 - 5]) {
      const text = 'x'.repeat(size);
      expect((carry({ text }) as { text: string }).text === text).toBe(true);
      expect((carry({ all: [{ text: text.slice(9) }] }) as { all: object[] }).all).toHaveLength(1);
    }
    expect(() => codec.encode({ text: 'x'.repeat(300_000) }, context)).toThrow('300000 bytes allowed');
    expect(() => codec.decode(Buffer.alloc(300_001), context)).toThrow('300000 bytes allowed');
    const numbers = Array.from({ length: 23 }, (_, i) => i);
    expect(carry({ numbers })).toMatchObject({ numbers });
    expect(() => carry({ numbers: [...numbers, 1] })).toThrow('more than 33 values');
    expect(carry({ all: [{ all: [{}] }] })).toMatchObject({ all: [{ all: [{}] }] });
    expect(() => carry({ all: [{ all: [{ all: [{}] }] }] })).toThrow('deeper than 3');
    expect(() => codec.decode(Uint8Array.from(nested(0x1a, 3)), context)).toThrow('deeper than 3');
    expect(codec.decode(Uint8Array.from(nested(0x1a, 2)), context)).toMatchObject({ all: [{ all: [{}] }] });
  });
});
