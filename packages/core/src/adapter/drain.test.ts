import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../../test/virtual-clock.ts';
import { closeOnce, withDeadline } from './index.ts';

const late = (): never => {
  throw new Error('late');
};

describe('closeOnce', () => {
  it('runs once and gives every caller the same promise', async () => {
    let runs = 0;
    const closeable = closeOnce(async () => void (runs += 1));
    const first = closeable.close();
    expect(closeable.close()).toBe(first);
    expect(closeable[Symbol.asyncDispose]()).toBe(first);
    await first;
    expect(runs).toBe(1);
  });

  it('turns a synchronous throw into a rejection', async () => {
    const closeable = closeOnce(() => {
      throw new Error('no');
    });
    await expect(closeable.close()).rejects.toThrow('no');
  });
});

describe('withDeadline', () => {
  it('gives the result of work that is in time, and leaves no timer', async () => {
    const clock = new VirtualClock();
    expect(await withDeadline(Promise.resolve(1), 100, () => 2, clock)).toBe(1);
    await expect(withDeadline(Promise.reject(new Error('no')), 100, () => 2, clock)).rejects.toThrow('no');
    expect(clock.pending).toBe(0);
  });

  it('gives what late() says when the time is over, a throw too', async () => {
    const clock = new VirtualClock();
    const never = new Promise<number>(() => {});
    const value = withDeadline(never, 100, () => 2, clock);
    const thrown = withDeadline(never, 100, late, clock).catch((error: unknown) => error);
    await clock.advance(100);
    expect(await value).toBe(2);
    expect(await thrown).toEqual(new Error('late'));
  });
});
