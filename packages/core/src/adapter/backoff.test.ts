import { describe, expect, it } from '@jest/globals';
import { fullJitter } from './index.ts';

describe('full jitter', () => {
  it('doubles up to its cap and is never below a millisecond', () => {
    const longest = fullJitter({ baseMs: 100, capMs: 1_000, random: () => 1 });
    expect([1, 2, 3, 4, 5, 5_000].map((failures) => longest(failures))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(fullJitter({ random: () => 0 })(9)).toBe(1);
  });
});
