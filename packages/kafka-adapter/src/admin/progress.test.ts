import { formatGuarded } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import { countLeft, firstLeft, isDone, movedTo, progressOf } from './progress.ts';

const entry = { attempt: 3, crashes: 0, level: 0, open: 0 };
const state = { starts: 2, suspectLeft: 0, entries: new Map([['10', entry]]) };
/** All before 10 is done, and beyond it 12 to 14 and 17; 10 fails. */
const text = formatGuarded(
  {
    low: 9n,
    done: [
      [12n, 14n],
      [17n, 17n],
    ],
  },
  state,
  4_096,
);

describe('the progress of a group in a partition', () => {
  const progress = progressOf(3, 10, text);

  it('is read from what a member has committed', () => {
    expect(progress).toMatchObject({
      partition: 3,
      offset: 10,
      done: [
        [12, 14],
        [17, 17],
      ],
    });
    expect([9, 11, 12, 14, 15, 17].map((offset) => isDone(progress, offset))).toEqual([
      false,
      false,
      true,
      true,
      false,
      true,
    ]);
  });

  it('is the offset alone where somebody else has set it, or there is none', () => {
    for (const [offset, metadata] of [
      [11, text],
      [10, 'of another client'],
      [10, ''],
      [-1, ''],
    ] as const)
      expect(progressOf(0, offset, metadata)).toEqual({ partition: 0, offset, done: [], state: undefined });
  });

  it('counts what is left', () => {
    expect(countLeft(progress, 10, 20)).toBe(6);
    expect(countLeft(progress, 13, 20)).toBe(4);
    expect(countLeft(progress, 10, 13)).toBe(2);
    expect(countLeft(progress, 20, 20)).toBe(0);
    expect([10, 12, 17, 18].map((offset) => firstLeft(progress, offset))).toEqual([10, 15, 18, 18]);
  });

  it('keeps what is done beyond where it moves to', () => {
    const moved = movedTo(progress, 12);
    expect(moved.offset).toBe(15);
    expect(progressOf(3, moved.offset, moved.metadata).done).toEqual([[17, 17]]);
    expect(movedTo(progressOf(3, 10, ''), 12)).toEqual({ offset: 12, metadata: '' });
  });
});
