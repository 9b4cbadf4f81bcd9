import { runInNewContext } from 'node:vm';
import { type CodecContext, CodecError } from '@bento-bus/core';
import { describe, expect, it, jest } from '@jest/globals';
import { refusedAtOnce } from '../test/support/refusal.ts';
import { createJsonCodec } from './index.ts';

const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };
const codec = createJsonCodec();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: unknown): string => new TextDecoder().decode(codec.encode(value, context).body);
const roundTrip = (value: unknown): unknown => codec.decode(codec.encode(value, context).body, context);
const encodeRefusal = (value: unknown): CodecError => refusedAtOnce(() => codec.encode(value, context));
const decodeRefusal = (body: string | Uint8Array): CodecError =>
  refusedAtOnce(() => codec.decode(typeof body === 'string' ? bytes(body) : body, context));

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

describe('encoding', () => {
  it('writes plain data as JSON.stringify does', () => {
    const order = { id: 'o-1', lines: [{ sku: 'ü-"1"', quantity: -3, price: 1.5e-7 }], paid: false, note: null };
    expect(text(order)).toBe(JSON.stringify(order));
  });

  it('writes a Date as its ISO string, on the fast way and on the exact way', () => {
    const at = new Date(Date.UTC(2026, 10, 3));
    expect(text({ at })).toBe('{"at":"2026-11-03T00:00:00.000Z"}');
    expect(text({ at, n: 1n })).toBe('{"at":"2026-11-03T00:00:00.000Z","n":"1"}');
  });

  it('writes a bigint as the string of its digits', () => {
    expect(roundTrip({ id: -(2n ** 70n), all: [0n] })).toEqual({ id: '-1180591620717411303424', all: ['0'] });
  });

  it('writes what toJSON returns, calls it once with the key, and applies the rule to its result', () => {
    const keys: string[] = [];
    const money = (json: unknown): object => ({
      toJSON: (key: string) => {
        keys.push(key);
        return json;
      },
    });
    expect(text({ price: money('12.50'), all: [money({ n: 1n })], url: new URL('http://a/b') })).toBe(
      '{"price":"12.50","all":[{"n":"1"}],"url":"http://a/b"}',
    );
    expect(keys).toEqual(['price', '0']);
    expect(encodeRefusal([money(Number.NaN)]).at).toBe('$[0]');
    expect(text({ gone: money(undefined) })).toBe('{}');
  });

  it('takes a toJSON that nothing enumerates, and one that returns its own object', () => {
    const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 2n });
    expect(text(hidden)).toBe('"2"');
    const own = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => own });
    expect(text(own)).toBe('{"a":1}');
    expect(text(Object.assign([1], { toJSON: () => 'list' }))).toBe('"list"');
    expect(text(Object.assign(new Date(0), { toJSON: () => 1n }))).toBe('"1"');
  });

  it('leaves a property out that is undefined', () => {
    expect(text({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(text({ a: undefined, b: 1n })).toBe('{"b":"1"}');
  });

  it('keeps minus zero', () => {
    expect(roundTrip([-0, 0])).toStrictEqual([-0, 0]);
  });

  it('takes objects without a prototype and objects of another realm', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    expect(text([bare, runInNewContext('({ b: [1], c: new Date(0) })')])).toBe(
      '[{"a":1},{"b":[1],"c":"1970-01-01T00:00:00.000Z"}]',
    );
  });

  it('takes the same object twice when there is no cycle', () => {
    const address = { city: 'Lyon', n: 1n };
    expect(text([address, address])).toBe('[{"city":"Lyon","n":"1"},{"city":"Lyon","n":"1"}]');
  });

  class Money {
    readonly amount = '1';
  }
  const cyclic: Record<string, unknown> = {};
  cyclic['lines'] = [{ order: cyclic }];
  const sparse = [1, 2];
  sparse.length = 3;
  it.each<[string, unknown, string, string]>([
    ['NaN', { a: Number.NaN }, '$.a', 'JSON has no NaN'],
    ['Infinity', [1, -Infinity], '$[1]', 'JSON has no -Infinity'],
    ['undefined alone', undefined, '$', 'undefined is no message'],
    ['undefined in an array', { a: [1, undefined] }, '$.a[1]', 'no undefined in an array'],
    ['a hole in an array', sparse, '$[2]', 'no undefined in an array'],
    ['an invalid Date', { a: new Date('x') }, '$.a', 'an invalid Date'],
    ['a function', { a: { b: () => 1 } }, '$.a.b', 'JSON has no function'],
    ['a symbol', { a: Symbol('s') }, '$.a', 'JSON has no symbol'],
    ['a Map', { a: new Map([[1, 2]]) }, '$.a', 'JSON has no Map'],
    ['a Set', { a: new Set([1]) }, '$.a', 'JSON has no Set'],
    ['bytes', { a: new Uint8Array(2) }, '$.a', 'JSON has no bytes'],
    ['a Buffer', Buffer.from('x'), '$', 'JSON has no bytes'],
    ['an ArrayBuffer', new ArrayBuffer(2), '$', 'JSON has no bytes'],
    ['a class instance', { a: [new Money()] }, '$.a[0]', 'an instance of Money'],
    ['an Error', new RangeError('x'), '$', 'an instance of RangeError'],
    ['a RegExp', /x/, '$', 'an instance of RegExp'],
    ['a boxed number', Object(1), '$', 'an instance of Number'],
    ['a cycle', cyclic, '$.lines[0].order', 'a cycle: this is $ again'],
    ['half a surrogate pair', { a: 'x\ud800' }, '$.a', 'half a surrogate pair'],
    ['half a surrogate pair in a key', { 'a\udc00': 1 }, '$["a\\udc00"]', 'half a surrogate pair'],
    ['an own __proto__', { a: JSON.parse('{"__proto__":{"admin":true}}') }, '$.a.__proto__', 'can change a prototype'],
    ['constructor.prototype', { constructor: { prototype: {} } }, '$.constructor', 'can change a prototype'],
  ])('refuses %s with its path', (_name, value, at, problem) => {
    const error = encodeRefusal(value);
    expect(error).toMatchObject({ code: 'CODEC', codec: 'application/json', retryable: false, at });
    expect(error.message).toMatch(
      /^codecs: cannot encode "order\.placed" of topic "orders" as JSON: .* at \$.*\. .+\.$/,
    );
    expect(error.message).toContain(problem);
  });

  it('keeps a backslash before "ud", and a surrogate pair', () => {
    expect(roundTrip(['\\ud800', '😀'])).toEqual(['\\ud800', '😀']);
  });

  it('reports a getter that throws as a typed error with its cause', () => {
    const cause = new Error('lazy loading failed');
    const value = {
      get lines() {
        throw cause;
      },
    };
    const error = encodeRefusal(value);
    expect(error.message).toContain('lazy loading failed');
    expect(error.cause).toBe(cause);
  });

  it('refuses shared structure that would grow without end', () => {
    let value: unknown = [];
    for (let i = 0; i < 50; i += 1) value = [value, value];
    const small = createJsonCodec({ maxBytes: 10_000 });
    expect(refusedAtOnce(() => small.encode(value, context)).message).toContain('more than the 10000 bytes allowed');
  });
});

describe('decoding', () => {
  it.each([
    ['an empty body', '', 'byte 0', 'the body is empty'],
    ['white space alone', ' \n', 'byte 2', 'the text ends too early'],
    ['a byte order mark', '\ufeff{}', 'byte 0', 'a byte order mark'],
    ['a truncated object', '{"a":1', 'byte 6', 'the text ends too early'],
    ['a truncated string', '{"a":"ü', 'byte 8', 'the text ends too early'],
    ['a truncated escape', '"\\u00', 'byte 5', 'the text ends too early'],
    ['a truncated word', '[tru', 'byte 4', 'the text ends too early'],
    ['trailing bytes', '{"ü":1} x', 'byte 9', '"x" after the end of the value'],
    ['a second value', '1 2', 'byte 2', '"2" after the end of the value'],
    ['a trailing comma', '[1,]', 'byte 3', '"]" instead of a value'],
    ['a missing colon', '{"a" 1}', 'byte 5', '"1" instead of ":"'],
    ['a key without quotes', '{a:1}', 'byte 1', '"a" instead of a key'],
    ['a wrong closer', '[1}', 'byte 2', '"}" instead of "," or "]"'],
    ['a leading zero', '[01]', 'byte 2', '"1" instead of "," or "]"'],
    ['a number without digits', '-', 'byte 1', 'the text ends too early'],
    ['a control character in a string', '"a\nb"', 'byte 2', 'a control character'],
    ['an unknown escape', '"\\x"', 'byte 1', 'an unknown escape'],
    ['an escape without digits', '"\\u12g4"', 'byte 1', 'four hexadecimal digits'],
    ['NaN', '[NaN]', 'byte 1', '"N" instead of a value'],
    ['a __proto__', '{"a":[{"__proto__":{}}]}', 'byte 7', '"__proto__" can change a prototype'],
    ['an escaped __proto__', '{"\\u005f_proto\\u005F_":1}', 'byte 1', '"__proto__" can change a prototype'],
    ['constructor.prototype', '{"constructor":{"a":1,"prototype":{}}}', 'byte 22', '"prototype" can change'],
    ['an integer beyond 2^53', '{"id":9007199254740993}', 'byte 6', '9007199254740993 does not fit a number'],
    ['a long integer', '[-12345678901234567890]', 'byte 1', '-12345678901234567890 does not fit a number'],
    ['a number beyond all', '[1e999]', 'byte 1', '1e999 does not fit a number'],
    ['half a surrogate pair', '["\\ud83d","\\ud83d\\ude00"]', 'byte 1', 'half a surrogate pair'],
    ['the other half', '["\\uDE00"]', 'byte 1', 'half a surrogate pair'],
  ])('refuses %s with its byte', (_name, body, at, problem) => {
    const error = decodeRefusal(body);
    expect(error).toMatchObject({ code: 'CODEC', codec: 'application/json', retryable: false, at });
    expect(error.message).toContain(problem);
    expect(error.message).toMatch(
      /^codecs: cannot decode "order\.placed" of topic "orders" as JSON: .* at byte \d+\. .+\.$/,
    );
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22], 'byte 1'],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22], 'byte 1'],
    ['an encoded surrogate', [0x22, 0x61, 0xed, 0xa0, 0x80, 0x22], 'byte 2'],
    ['a truncated character', [0x22, 0xe2, 0x82], 'byte 1'],
    ['a bad byte after a genuine U+FFFD', [0x22, 0xef, 0xbf, 0xbd, 0xc3, 0xa9, 0xff, 0x22], 'byte 6'],
  ])('refuses %s', (_name, body, at) => {
    const error = decodeRefusal(Uint8Array.from(body));
    expect(error.at).toBe(at);
    expect(error.message).toContain('the body is not UTF-8');
  });

  it('takes integers that a number holds, in every notation', () => {
    const literals = [
      '9007199254740991',
      '9007199254740992',
      '1152921504606846976',
      '1152921504606847000',
      '1e300',
      '-0',
    ];
    expect(codec.decode(bytes(`[${literals.join(',')}]`), context)).toStrictEqual([
      2 ** 53 - 1,
      2 ** 53,
      2 ** 60,
      2 ** 60,
      1e300,
      -0,
    ]);
  });

  it('takes a constructor, a prototype and a toJSON that are data', () => {
    const body = '{"constructor":"McLaren","prototype":{"constructor":{"a":[{"prototype":1}]}},"toJSON":1}';
    expect(JSON.stringify(codec.decode(bytes(body), context))).toBe(body);
  });

  it('takes escaped surrogate pairs, as Python writes them', () => {
    expect(codec.decode(bytes('"\\ud83d\\uDE00 \\u00fc"'), context)).toBe('😀 ü');
  });

  it('shows no payload in its errors', () => {
    const error = decodeRefusal('{"password":"hunter2",}');
    expect(`${error.message} ${String(error.cause)}`).not.toContain('hunter2');
  });
});

describe('limits', () => {
  it('takes 64 levels by default and refuses 65, both ways', () => {
    expect(roundTrip(nested(64))).toEqual(nested(64));
    expect(encodeRefusal(nested(65)).message).toContain('nest deeper than 64');
    expect(decodeRefusal(JSON.stringify(nested(65))).message).toContain('nest deeper than 64');
  });

  it('holds at the largest depth it lets one ask for, on the exact way too', () => {
    const deep = createJsonCodec({ maxDepth: 1_000 });
    const value = { big: 1n, nested: nested(999) };
    expect(deep.decode(deep.encode(value, context).body, context)).toEqual({ ...value, big: '1' });
    expect(refusedAtOnce(() => deep.encode(nested(1_001), context)).message).toContain('nest deeper than 1000');
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['arrays beside brackets in strings', '["]",', ']'],
    ['arrays beside escaped quotes', '["\\"]",', ']'],
  ])('refuses %s a million deep, closed or not, without parsing them', (_name, open, close) => {
    const large = createJsonCodec({ maxBytes: 2 ** 25 });
    for (const body of [open.repeat(1e6) + 1 + close.repeat(1e6), open.repeat(1e6)]) {
      const parse = jest.spyOn(JSON, 'parse');
      const error = refusedAtOnce(() => large.decode(bytes(body), context));
      const parsed = Math.max(0, ...parse.mock.calls.map(([given]) => given.length));
      parse.mockRestore();
      expect(error.message).toContain('nest deeper than 64');
      // Keys at most; the whole would take a second.
      expect(parsed).toBeLessThan(100);
    }
  });

  it('takes many objects side by side', () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ i, text: '[[{{"' }));
    expect(roundTrip(rows)).toEqual(rows);
  });

  it('refuses more than maxBytes, both ways, counting bytes and not characters', () => {
    const small = createJsonCodec({ maxBytes: 10 });
    expect(small.decode(small.encode('üüüü', context).body, context)).toBe('üüüü');
    for (const attempt of [
      () => small.encode('üüüüü', context),
      () => small.encode([1n, 'üüü'], context),
      () => small.decode(bytes('"12345678901"'), context),
    ])
      expect(refusedAtOnce(attempt).message).toContain('more than the 10 bytes allowed');
  });

  it('names every bad option in one CONFIGURATION error', () => {
    expect(() => createJsonCodec({ maxDepth: 0, maxBytes: 1.5 })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION' }),
    );
    expect(() => createJsonCodec({ maxDepth: 0, maxBytes: 1.5 })).toThrow(/maxDepth is 0.*maxBytes is 1\.5/);
  });
});
