import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  createWatermark,
  formatProgress,
  type OrderedPosition,
  type Progress,
  parseProgress,
  type Watermark,
} from './index.ts';

const added = <P extends OrderedPosition>(watermark: Watermark<P>, ...positions: P[]) =>
  positions.map((position) => {
    const handle = watermark.add(position);
    if (handle === undefined) throw new Error(`${String(position)} is known`);
    return handle;
  });

describe('a watermark', () => {
  it('moves over what is done without a gap, and keeps runs above it', () => {
    const watermark = createWatermark(100);
    const [a, b, c, d] = added(watermark, 101, 102, 104, 105) as [never, never, never, never];
    expect(watermark.done(c)).toBe(false);
    expect(watermark.done(b)).toBe(false);
    expect(watermark.progress()).toEqual({ low: 100, done: [[102, 104]] });
    expect(watermark.done(a)).toBe(true);
    expect(watermark.low).toBe(104);
    expect(watermark.unfinished).toBe(1);
    watermark.done(d);
    expect(watermark.progress()).toEqual({ low: 105, done: [] });
  });

  it('counts each position once, however often it is said to be done', () => {
    const watermark = createWatermark(0n);
    const [a, b] = added(watermark, 1n, 2n) as [never, never];
    watermark.done(b);
    watermark.done(b);
    expect(watermark.unfinished).toBe(1);
    expect(watermark.runs).toBe(1);
    expect(watermark.done(a)).toBe(true);
    expect(watermark.done(a)).toBe(false);
    expect(watermark.low).toBe(2n);
  });

  it('knows what was added already', () => {
    const watermark = createWatermark('p05');
    added(watermark, 'p06', 'p09');
    expect(watermark.add('p05')).toBeUndefined();
    expect(watermark.add('p06')).toBeUndefined();
    expect(watermark.add('p09')).toBeUndefined();
    expect(watermark.add('p10')).toBeDefined();
  });

  it('goes on from a progress: done positions are known, the others are not', () => {
    const watermark = createWatermark({
      low: 10,
      done: [
        [12, 14],
        [17, 17],
      ],
    } satisfies Progress<number>);
    expect(watermark.runs).toBe(2);
    const [eleven] = added(watermark, 11) as [never];
    expect([12, 13, 14].map((position) => watermark.add(position))).toEqual([undefined, undefined, undefined]);
    expect(watermark.progress()).toEqual({
      low: 10,
      done: [
        [12, 14],
        [17, 17],
      ],
    });
    watermark.done(eleven);
    expect(watermark.low).toBe(14);
    added(watermark, 16);
    expect(watermark.add(17)).toBeUndefined();
    expect(watermark.progress()).toEqual({ low: 14, done: [[17, 17]] });
  });

  it('passes over done runs of a progress whose positions never come back', () => {
    const watermark = createWatermark({ low: 10, done: [[12, 14]] } satisfies Progress<number>);
    const [twenty] = added(watermark, 20) as [never];
    expect(watermark.runs).toBe(0);
    watermark.done(twenty);
    expect(watermark.progress()).toEqual({ low: 20, done: [] });
  });

  it('costs what is unfinished, not what is done', () => {
    const watermark = createWatermark(0);
    added(watermark, 1);
    for (let position = 2; position < 200_000; position += 1) {
      const [handle] = added(watermark, position) as [never];
      watermark.done(handle);
    }
    expect(watermark.runs).toBe(1);
    expect(formatProgress(watermark.progress())).toBe(`0;2.${(199_997).toString(36)}`);
  });

  it('agrees with a naive one, also after a restart in the middle', () => {
    const step = fc.record({
      add: fc.nat(3),
      gap: fc.nat(2),
      done: fc.array(fc.nat(30), { maxLength: 4 }),
      restart: fc.nat(12),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let watermark = createWatermark(0);
        let open = new Map<number, { readonly position: number }>();
        const log: number[] = [];
        const done = new Set<number>();
        let last = 0;
        for (const { add, gap, done: picks, restart } of steps) {
          for (let count = 0; count < add; count += 1) {
            last += 1 + (count === 0 ? gap : 0);
            log.push(last);
            open.set(last, added(watermark, last)[0] as { readonly position: number });
          }
          for (const pick of picks) {
            const [position, handle] = [...open][pick] ?? [];
            if (position === undefined || handle === undefined) continue;
            watermark.done(handle);
            open.delete(position);
            done.add(position);
          }
          const firstOpen = log.findIndex((position) => !done.has(position));
          const low = firstOpen === -1 ? (log.at(-1) ?? 0) : (log[firstOpen - 1] ?? 0);
          expect(watermark.low).toBe(low);
          expect(watermark.unfinished).toBe(open.size);
          const { done: runs } = watermark.progress();
          expect(watermark.runs).toBe(runs.length);
          expect(
            log.filter((position) => position > low && runs.some(([a, b]) => a <= position && position <= b)),
          ).toEqual(log.filter((position) => position > low && done.has(position)));
          if (restart > 0) continue;
          // As after a crash: stored, read, and everything above the low watermark delivered again.
          watermark = createWatermark(parseProgress(formatProgress(watermark.progress()), 'number'));
          open = new Map();
          for (const position of log.filter((one) => one > low)) {
            const handle = watermark.add(position);
            expect(handle === undefined).toBe(done.has(position));
            if (handle !== undefined) open.set(position, handle);
          }
        }
      }),
      { seed: 20_261_101, numRuns: 500 },
    );
  });
});

/** Ascending runs that do not touch. */
const runsOf = (deltas: readonly (readonly [number, number])[]) => {
  let end = 0n;
  return deltas.map(([gap, length]): readonly [bigint, bigint] => {
    const first = end + BigInt(gap) + 1n;
    end = first + BigInt(length);
    return [first, end];
  });
};

describe('a progress as text', () => {
  it('is short for numbers', () => {
    expect(
      formatProgress({
        low: 100,
        done: [
          [102, 110],
          [113, 113],
        ],
      }),
    ).toBe('2s;2.8,3');
    expect(formatProgress({ low: -1n, done: [] })).toBe('-1');
    const alternating = Array.from({ length: 500 }, (_, index): [number, number] => [
      1e12 + 2 * index,
      1e12 + 2 * index,
    ]);
    expect(formatProgress({ low: 1e12 - 5, done: alternating }).length).toBeLessThan(1_100);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-10n, 2n ** 62n),
        fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 }),
        (low, deltas) => {
          const done = runsOf(deltas).map(([first, last]): readonly [bigint, bigint] => [first + low, last + low]);
          const text = formatProgress({ low, done });
          expect(parseProgress(text, 'bigint')).toEqual({ low, done });
          const names = [...new Set(deltas.map(([gap]) => `p${String(gap).padStart(12, '0')}`))].toSorted();
          const strings = { low: '', done: names.map((name): readonly [string, string] => [name, `${name},"`]) };
          expect(parseProgress(formatProgress(strings), 'string')).toEqual(strings);
        },
      ),
      { seed: 1 },
    );
  });

  it.each([
    ['', 'number'],
    ['1;', 'number'],
    ['1;0', 'number'],
    ['1;2,0.4', 'bigint'],
    ['{"offset":1}', 'number'],
    ['zzzzzzzzzzzzz', 'number'],
    ['x'.repeat(30), 'bigint'],
    ['[]', 'string'],
    ['["b",["a"]]', 'string'],
    ['["b",["c","b"]]', 'string'],
    ['["b",[]]', 'string'],
    ['["b","c"]', 'string'],
    ['no json', 'string'],
  ])('that is not one (%j) is a CodecError', (text, kind) => {
    expect(() => parseProgress(text, kind as 'number')).toThrow(expect.objectContaining({ code: 'CODEC' }));
  });
});
