import { describe, expect, it } from '@jest/globals';
import { Waiter } from './waiter.ts';

const long = 60_000;

describe('a waiter', () => {
  it('waits for its time', async () => {
    const waiter = new Waiter();
    const start = performance.now();
    await waiter.wait(20);
    expect(performance.now() - start).toBeGreaterThan(15);
  });

  it('is woken, also by a wake that came before it began to wait, and once only', async () => {
    const waiter = new Waiter();
    const waiting = waiter.wait(long);
    waiter.wake();
    await waiting;
    waiter.wake();
    waiter.wake();
    await waiter.wait(long);
    const start = performance.now();
    await waiter.wait(20);
    expect(performance.now() - start).toBeGreaterThan(15);
  });
});
