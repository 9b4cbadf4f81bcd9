import { describe, expect, it } from '@jest/globals';
import { exactJson } from './exact-json.ts';

class Placed {
  readonly id: string = 'o';
}

describe('exactJson', () => {
  it.each([
    ['plain data', { a: [1, -1.5, 'é\ud83d', true, null, {}], b: { c: [] } }],
    ['null', null],
    ['text', 'x'],
    ['an instance with fields only', new Placed()],
    ['an object without prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['an own key __proto__', JSON.parse('{"__proto__":{"a":1}}')],
  ])('writes %s as JSON.stringify does', (_, value) => {
    expect(exactJson(value)).toEqual({ text: JSON.stringify(value) });
  });

  it('leaves out a property that is undefined', () => {
    expect(exactJson({ a: undefined, b: 1 })).toEqual({ text: '{"b":1}' });
  });

  it.each([
    ['a bigint', { a: [1, { b: 2n }] }, 'a[1].b', 'bigint'],
    ['a Date', { at: new Date(0) }, 'at', 'epoch milliseconds'],
    ['a Map', { a: new Map() }, 'a', 'Map'],
    ['a Set', [new Set()], '[0]', 'Set'],
    ['bytes', { a: new Uint8Array(1) }, 'a', 'Uint8Array'],
    ['a Buffer', { a: Buffer.from('x') }, 'a', 'Uint8Array'],
    ['NaN', Number.NaN, '', 'NaN'],
    ['infinity', { a: Number.POSITIVE_INFINITY }, 'a', 'Infinity'],
    ['undefined', undefined, '', 'undefined'],
    ['undefined in an array', { a: [undefined] }, 'a[0]', 'undefined'],
    ['a function', { a: () => 1 }, 'a', 'function'],
    ['a symbol', { a: Symbol('x') }, 'a', 'symbol'],
    ['toJSON', { a: { toJSON: (): number => 1 } }, 'a', 'toJSON'],
    ['an error', { a: new RangeError('x') }, 'a', 'Error'],
  ])('refuses %s and says where', (_, value, path, message) => {
    expect(exactJson(value)).toEqual({ path, message: expect.stringContaining(message) });
  });

  it('refuses a cycle and what is nested deeper than the stack', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    let deep: unknown = 0;
    for (let i = 0; i < 200_000; i += 1) deep = [deep];
    for (const value of [cycle, deep])
      expect(exactJson(value)).toEqual({ path: '', message: 'is cyclic or nested too deep' });
  });
});
