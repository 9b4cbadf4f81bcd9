import { describe, expect, it } from '@jest/globals';
import { HeadCache, streamKey } from './head-cache.ts';

describe('HeadCache', () => {
  it('keeps the higher of two reports, since heads only grow', () => {
    const cache = new HeadCache(10);
    cache.report('a', 5);
    cache.report('a', 3);
    cache.admit('a', 4, cache.mark());
    expect(cache.get('a')).toBe(5);
    expect(cache.get('b')).toBeUndefined();
  });

  it('takes a head that a query read, also zero', () => {
    const cache = new HeadCache(10);
    cache.admit('a', 0, cache.mark());
    expect(cache.get('a')).toBe(0);
  });

  it('evicts what was reported longest ago', () => {
    const cache = new HeadCache(2);
    cache.report('a', 1);
    cache.report('b', 1);
    cache.report('a', 2);
    cache.report('c', 1);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([2, undefined, 1]);
  });

  it('refuses what a query read when a newer report of that stream may have been evicted meanwhile', () => {
    const cache = new HeadCache(3);
    const mark = cache.mark();
    // The tail moved on: `a` is at 9 now, and has left the cache.
    cache.report('a', 9);
    for (const key of ['x', 'y', 'z']) cache.report(key, 1);
    expect(cache.get('a')).toBeUndefined();
    cache.admit('a', 8, mark);
    expect(cache.get('a')).toBeUndefined();
    cache.admit('a', 9, cache.mark());
    expect(cache.get('a')).toBe(9);
  });

  it('after clear refuses what queries under way will answer', () => {
    const cache = new HeadCache(3);
    const mark = cache.mark();
    cache.report('a', 1);
    cache.clear();
    cache.admit('a', 1, mark);
    expect(cache.get('a')).toBeUndefined();
  });
});

describe('streamKey', () => {
  it('differs for streams whose type and id join to the same text', () => {
    expect(streamKey({ type: 'a', id: 'bc' })).not.toBe(streamKey({ type: 'ab', id: 'c' }));
    expect(streamKey({ type: '1:a', id: 'b' })).not.toBe(streamKey({ type: '1', id: ':ab' }));
  });
});
