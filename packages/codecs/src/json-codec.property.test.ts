import { type CodecContext, CodecError } from '@bento-bus/core';
import { expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { writeExactly } from './exact.ts';
import type { Fault } from './fault.ts';
import { createJsonCodec } from './index.ts';
import { findFault } from './scan.ts';

const context: CodecContext = { topic: 't', type: 'e', version: 1, headers: {} };
const codec = createJsonCodec();
const limits = { maxDepth: 64, maxBytes: 1e9 };

/** Own keys that are no data here; everything else that JSON.parse can make must survive. */
const hasUnsafeKey = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).some(
    ([key, item]) =>
      key === '__proto__' ||
      (key === 'constructor' && typeof item === 'object' && item !== null && Object.hasOwn(item, 'prototype')) ||
      hasUnsafeKey(item),
  );
const json = fc.jsonValue({ maxDepth: 8, stringUnit: 'binary' });

/** JSON-like text: tokens put together at random, often nearly right, with the keys, numbers and escapes that matter. */
const pieces = [
  ...Array.from('{}[],:- \n0123456789.eE"\\'),
  '"a":',
  '"__proto__":',
  '"\\u005f_proto__":',
  '"constructor":{',
  '"prototype":',
  '"\\ud83d"',
  '\\ude00',
  'true',
  'fals',
  'null',
  '9007199254740993',
  '1e400',
  '1.5',
  '"ü"',
  '\u0001',
  '\ufeff',
  '{"a":1}',
  '[1,2]',
];
const nearlyJson = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(''));

const isSyntax = (fault: Fault): boolean => fault.advice.includes('RFC 8259');

const refused = Symbol('refused');
/** The result, or `refused` for a CodecError whose place has this form; any other error is thrown on. */
const attempt = (run: () => unknown, place: RegExp): unknown => {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodecError && place.test(error.at ?? '')) return refused;
    throw error;
  }
};
const encode = (value: unknown): unknown => attempt(() => codec.encode(value, context).body, /^\$/);
const decode = (body: Uint8Array): unknown => attempt(() => codec.decode(body, context), /^byte \d+$/);
const roundTrip = (value: unknown): unknown => {
  const body = encode(value);
  return body === refused ? refused : decode(body as Uint8Array);
};
const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
/** Prototypes of everything in a value, and of what it is copied into. */
const prototypes = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null
    ? [
        Object.getPrototypeOf(value),
        Object.getPrototypeOf(Object.assign({}, value)),
        ...Object.values(value).flatMap(prototypes),
      ]
    : [];
const oddPrototypes = (body: Uint8Array): unknown[] =>
  prototypes(decode(body)).filter((prototype) => prototype !== Object.prototype && prototype !== Array.prototype);

it('brings every JSON value back whole, or refuses an unsafe key', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(roundTrip(value)).toStrictEqual(hasUnsafeKey(value) ? refused : value);
    }),
    { numRuns: 500 },
  );
});

it('brings a value of any kind back as documented, or refuses it with a path', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
  });
  const documented = (value: unknown): unknown => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Date) return value.toISOString();
    if (Array.isArray(value)) return value.map(documented);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, documented(item)]])),
    );
  };
  let kept = 0;
  fc.assert(
    fc.property(anything, (value) => {
      const result = roundTrip(value);
      if (result !== refused) kept += 1;
      expect(result).toStrictEqual(result === refused ? refused : documented(value));
    }),
    { numRuns: 1_000 },
  );
  expect(kept).toBeGreaterThan(200);
});

it('writes the same text on the exact way as JSON.stringify does', () => {
  fc.assert(
    fc.property(json, (value) => {
      fc.pre(!hasUnsafeKey(value));
      // Once through JSON, because JSON.stringify forgets the sign of minus zero.
      const once: unknown = JSON.parse(JSON.stringify(value));
      expect(writeExactly(once, limits, context)).toBe(JSON.stringify(once));
    }),
  );
});

it('finds a syntax fault exactly where JSON.parse finds one', () => {
  fc.assert(
    fc.property(nearlyJson, (text) => {
      const fault = findFault(text, 64);
      // A refused key, number or string may stand before a syntax fault.
      fc.pre(fault === undefined || isSyntax(fault));
      expect(fault === undefined).toBe(parses(text));
    }),
    { numRuns: 10_000 },
  );
});

it('answers hostile text with a value whose prototypes are whole, or with a typed error', () => {
  fc.assert(
    fc.property(nearlyJson, (text) => {
      expect(oddPrototypes(Buffer.from(text))).toEqual([]);
    }),
    { numRuns: 5_000 },
  );
});

it('answers hostile bytes with a value whose prototypes are whole, or with a typed error', () => {
  const flipped = fc
    .tuple(json, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }))
    .map(([value, flips]) => {
      const body = Buffer.from(JSON.stringify(value));
      for (const [at, byte] of flips) body[at % body.length] = byte;
      return body;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), flipped), (body) => {
      expect(oddPrototypes(body)).toEqual([]);
    }),
    { numRuns: 5_000 },
  );
});
