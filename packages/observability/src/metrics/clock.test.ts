import { describe, expect, it } from '@jest/globals';
import { Epoch, sharedNow } from './clock.ts';

const later = (): Promise<void> =>
  new Promise((settle) => {
    setImmediate(settle);
  });

describe('The shared time', () => {
  it('is one for what happens together, and moves on afterwards', async () => {
    const before = performance.now();
    const first = sharedNow();
    while (performance.now() - first < 1);
    expect(sharedNow()).toBe(first);
    expect(first).toBeGreaterThanOrEqual(before);
    await later();
    expect(sharedNow()).toBeGreaterThan(first);
  });

  it('is one for promises that were settled before it was read', async () => {
    const settled = [Promise.resolve(), Promise.resolve()];
    const times: number[] = [];
    await Promise.all(settled.map((one) => one.then(() => times.push(sharedNow()))));
    expect(new Set(times).size).toBe(1);
  });
});

describe('The time of a subscription', () => {
  it("is the machine's, and follows it when it is set", () => {
    const epoch = new Epoch(Date.now);
    const reading = performance.now();
    const told = epoch.at(reading);
    expect(Math.abs(told - Date.now())).toBeLessThan(60_000);
    // Within a second no other clock is read; afterwards it is: an hour has not passed.
    expect(epoch.at(reading + 500)).toBe(told + 500);
    expect(epoch.at(reading + 3_600_000)).toBeLessThan(told + 1_800_000);
  });

  it('is that of another clock, however it goes', () => {
    let now = 5_000;
    const epoch = new Epoch(() => now);
    expect(epoch.at(1)).toBe(5_000);
    now = 3_605_000;
    expect(epoch.at(1)).toBe(3_605_000);
  });
});
