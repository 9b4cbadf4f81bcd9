import { describe, expect, it } from '@jest/globals';
import { Batcher, type Call } from './batcher.ts';

/** A batcher whose groups end when the test says. */
function held(options: { readonly maxWeight?: number; readonly concurrency?: number } = {}) {
  const groups: (readonly Call<number, string>[])[] = [];
  const finish: ((again?: readonly Call<number, string>[]) => void)[] = [];
  const fail: ((error: unknown) => void)[] = [];
  const batcher = new Batcher<number, string>({
    weigh: (input) => input,
    maxWeight: options.maxWeight ?? 100,
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    run: (calls) => {
      groups.push(calls);
      return new Promise((resolve, reject) => {
        finish.push((again = []) => resolve(again));
        fail.push(reject);
      });
    },
  });
  return { batcher, groups, finish, fail, inputs: () => groups.map((calls) => calls.map(({ input }) => input)) };
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });

describe('Batcher', () => {
  it('runs calls of one turn together, and those that come meanwhile in the next group', async () => {
    const { batcher, groups, finish, inputs } = held();
    const calls = [batcher.call(1), batcher.call(2)];
    await turn();
    calls.push(batcher.call(3), batcher.call(4));
    await turn();
    expect(inputs()).toEqual([[1, 2]]);
    for (const call of groups[0] ?? []) call.resolve(`r${call.input}`);
    finish[0]?.();
    await turn();
    expect(inputs()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    for (const call of groups[1] ?? []) call.resolve(`r${call.input}`);
    expect(await Promise.all(calls)).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  it('closes a group before it exceeds its weight; one call alone may', async () => {
    const { batcher, finish, inputs } = held({ maxWeight: 10 });
    for (const weight of [4, 6, 1, 50, 2]) void batcher.call(weight);
    for (let i = 0; i < 4; i += 1) {
      await turn();
      finish[i]?.();
    }
    expect(inputs()).toEqual([[4, 6], [1], [50], [2]]);
  });

  it('puts what a group gives back first into the next one', async () => {
    const { batcher, groups, finish, inputs } = held();
    void batcher.call(1);
    void batcher.call(2);
    await turn();
    void batcher.call(3);
    finish[0]?.(groups[0]?.slice(1));
    await turn();
    expect(inputs()).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });

  it('rejects the calls of a group that throws, and goes on', async () => {
    const { batcher, groups, fail, inputs } = held();
    const [settled, rejected] = [batcher.call(1), batcher.call(2)];
    await turn();
    groups[0]?.[0]?.resolve('done');
    fail[0]?.(new Error('no'));
    expect(await settled).toBe('done');
    await expect(rejected).rejects.toThrow('no');
    void batcher.call(3);
    await turn();
    expect(inputs()).toEqual([[1, 2], [3]]);
  });

  it('runs several groups at once where it may', async () => {
    const { batcher, inputs } = held({ concurrency: 2 });
    for (const input of [1, 2, 3]) {
      void batcher.call(input);
      await turn();
    }
    expect(inputs()).toEqual([[1], [2]]);
  });

  it('is idle when nothing waits and nothing runs', async () => {
    const { batcher, finish } = held();
    await batcher.idle();
    void batcher.call(1);
    const waiting = batcher.idle();
    await turn();
    expect(await Promise.race([waiting, Promise.resolve('busy')])).toBe('busy');
    finish[0]?.();
    expect(await waiting).toBeUndefined();
  });
});
