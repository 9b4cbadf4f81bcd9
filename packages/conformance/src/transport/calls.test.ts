import { describe, expect, it } from '@jest/globals';
import { assertFirstInOrder, assertOneAtATime, assertOrderPerKey, type Call, repeatsOf } from './calls.ts';

const messages = ['a1', 'a2', 'b1'].map((id) => ({ id, key: id.slice(0, 1) }));

/** Calls by short texts, `start-end id by`; with `!` behind the end it failed, with `x` its process died. */
const calls = (...texts: string[]): Call[] =>
  texts.map((text) => {
    const [moments = '', id = '', by = ''] = text.split(' ');
    const [start, end = ''] = moments.split('-');
    return {
      id,
      by,
      attempt: 1,
      start: Number(start),
      end: end === '' ? undefined : Number.parseInt(end, 10),
      failed: end.endsWith('!'),
      died: end.endsWith('x'),
    };
  });

describe('calls of handlers', () => {
  it('may be at work on several keys, but not twice on one', () => {
    expect(() => assertOneAtATime(calls('0-3 a1 p', '1-2 b1 q', '4-5 a2 q'), messages)).not.toThrow();
    expect(() => assertOneAtATime(calls('0-2 a1 p', '1-3 a2 q'), messages)).toThrow(
      'key a at once: one of p and one of q',
    );
    expect(() => assertOneAtATime(calls('0- a1 p', '1-3 a2 p'), messages)).toThrow('key a at once');
  });

  it('keep the order of a key, each once', () => {
    expect(() => assertOrderPerKey(calls('0-1 b1 p', '2-3 a1 p', '4-5 a2 p'), messages)).not.toThrow();
    expect(() => assertOrderPerKey(calls('0-1! a1 p', '2-3 a1 p', '4-5 a2 p', '6-7 b1 p'), messages)).not.toThrow();
    expect(() => assertOrderPerKey(calls('0-1 b1 p', '2-3 a2 p', '4-5 a1 p'), messages)).toThrow('order of key a');
    expect(() => assertOrderPerKey(calls('0-1 b1 p', '2-3 a1 p', '4-5 a1 p', '6-7 a2 p'), messages)).toThrow('key a');
    expect(() => assertOrderPerKey(calls('0-1 a1 p', '2-3 a2 p'), messages)).toThrow('order of key b');
  });

  it('may come again as long as their first success is in order', () => {
    expect(() =>
      assertFirstInOrder(calls('0-1 a1 p', '2-3x a2 p', '4-5 a1 q', '6-7 a2 q', '8-9 b1 q'), messages),
    ).not.toThrow();
    expect(() => assertFirstInOrder(calls('0-1x a1 p', '2-3 a2 q', '4-5 a1 q', '6-7 b1 q'), messages)).toThrow('key a');
    expect(() => assertFirstInOrder(calls('0-1 a1 p', '2-3x a2 p', '4-5 b1 q'), messages)).toThrow('order of key a');
  });

  it('repeat what was handled or cut off, not what was rejected', () => {
    const repeats = repeatsOf(calls('0-1! a1 p', '2-3 a1 p', '4-5 a1 q', '6-7x b1 p', '8-9 b1 q', '10-11 a2 q'));
    expect(repeats.map(([before, again]) => [before.id, before.start, again.start])).toEqual([
      ['a1', 2, 4],
      ['b1', 6, 8],
    ]);
  });
});
