import { describe, expect, it } from '@jest/globals';
import { createVirtualClock } from './virtual-clock.ts';

describe('virtual clock', () => {
  it('stands still until it is moved', async () => {
    const clock = createVirtualClock(1_000);
    let ran = false;
    clock.schedule(() => (ran = true), 5);
    await clock.advance(4);
    expect([clock.now(), ran, clock.pending]).toEqual([1_004, false, 1]);
    await clock.advance(1);
    expect([clock.now(), ran, clock.pending]).toEqual([1_005, true, 0]);
  });

  it('runs timers in order of time, of equal times in order of scheduling, each at its time', async () => {
    const clock = createVirtualClock(0);
    const runs: [string, number][] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
    ] as const)
      clock.schedule(() => void runs.push([name, clock.now()]), ms);
    await clock.advance(100);
    expect(runs).toEqual([
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
      ['c', 30],
    ]);
    expect(clock.now()).toBe(100);
  });

  it('lets promises settle between timers, so that what they schedule takes part', async () => {
    const clock = createVirtualClock(0);
    const times: number[] = [];
    const loop = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn++) {
        await new Promise<void>((resolve) => clock.schedule(resolve, 10));
        for (let hop = 0; hop < 50; hop++) await Promise.resolve();
        times.push(clock.now());
      }
    };
    const looping = loop();
    await clock.advance(30);
    expect(times).toEqual([10, 20, 30]);
    await looping;
  });

  it('does not run what was cancelled', async () => {
    const clock = createVirtualClock();
    let ran = 0;
    const cancel = clock.schedule(() => ran++, 1);
    clock.schedule(() => ran++, 1);
    cancel();
    cancel();
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    cancel();
    expect([ran, clock.pending]).toEqual([1, 0]);
  });

  it('runs all timers, moving time to each', async () => {
    const clock = createVirtualClock(0);
    let last = 0;
    clock.schedule(() => clock.schedule(() => (last = clock.now()), 3_600_000), 1);
    await clock.runAll();
    expect([last, clock.now(), clock.pending]).toEqual([3_600_001, 3_600_001, 0]);
  });

  it('gives up on what schedules itself for ever', async () => {
    const clock = createVirtualClock();
    const again = (): void => void clock.schedule(again, 1);
    again();
    await expect(clock.runAll()).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('orders any number of timers', async () => {
    const clock = createVirtualClock(0);
    const runs: number[] = [];
    for (let n = 0; n < 500; n++) clock.schedule(() => void runs.push(clock.now()), (n * 7_919) % 503);
    await clock.runAll();
    expect(runs).toHaveLength(500);
    expect(runs).toEqual(runs.toSorted((a, b) => a - b));
  });
});
