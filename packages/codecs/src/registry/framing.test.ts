import { describe, expect, it } from '@jest/globals';
import { array, assert, integer, property, uint8Array } from 'fast-check';
import { frame, idOf, pathOf } from './framing.ts';

describe('the wire format of registries', () => {
  // Examples of Confluent's documentation: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html
  it.each([
    [[0], [0]],
    [
      [1, 0],
      [4, 2, 0],
    ],
    [[1], [2, 2]],
    [[200], [2, 0x90, 0x03]],
  ])('writes the index path %j as %j', (path, bytes) => {
    expect([...frame(0x01020304, path)]).toEqual([0, 1, 2, 3, 4, ...bytes]);
  });

  it('has no path where there is no protobuf', () => {
    expect([...frame(0x7fffffff)]).toEqual([0, 0x7f, 0xff, 0xff, 0xff]);
  });

  it('reads what it writes, whatever follows', () => {
    const id = integer({ min: 0, max: 2 ** 31 - 1 });
    const path = array(integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 64 });
    assert(
      property(id, path, uint8Array(), (number, message, payload) => {
        const prefix = frame(number, message);
        const body = Uint8Array.from([...prefix, ...payload]);
        expect(idOf(body)).toBe(number);
        expect(pathOf(body)).toEqual({ message, offset: prefix.length });
      }),
    );
  });

  it.each([
    ['cut short', [0, 0, 0]],
    ['of another format', [0x7b, 0, 0, 0, 1]],
    ['with an id that no registry gives', [0, 0x80, 0, 0, 0]],
  ])('says what is wrong with a head %s', (_, bytes) => {
    expect(idOf(Uint8Array.from(bytes))).toEqual(expect.any(String));
  });

  it.each([
    ['missing', []],
    ['cut short', [4, 2]],
    ['cut within a number', [4, 0x80]],
    ['negative', [2, 1]],
    ['negative in length', [3]],
    ['too long', [0x84, 0x01, ...Array.from({ length: 66 }, () => 0)]],
    ['of endless numbers', [2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ])('refuses an index path that is %s', (_, bytes) => {
    expect(pathOf(Uint8Array.from([0, 0, 0, 0, 1, ...bytes]))).toBeUndefined();
  });

  it('survives any bytes', () => {
    assert(
      property(uint8Array({ maxLength: 100 }), (body) => {
        expect(['string', 'number']).toContain(typeof idOf(body));
        expect(pathOf(body)?.offset ?? 0).toBeLessThanOrEqual(body.length);
      }),
    );
  });
});
