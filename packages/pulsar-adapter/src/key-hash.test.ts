import { expect, it } from '@jest/globals';
import { partitionOf } from './key-hash.ts';

it('chooses partitions as String.hashCode of Java does', () => {
  // "polygenelubricants".hashCode() is Integer.MIN_VALUE, "Aa" and "BB" are 2112, "hello" is 99162322.
  expect(partitionOf('polygenelubricants', 7)).toBe(0);
  expect(partitionOf('Aa', 1_000_000)).toBe(2112);
  expect(partitionOf('BB', 1_000_000)).toBe(2112);
  expect(partitionOf('hello', 1_000_000_000)).toBe(99_162_322);
  expect(partitionOf('', 4)).toBe(0);
});
