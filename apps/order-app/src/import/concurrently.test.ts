import { describe, expect, it } from '@jest/globals';
import { concurrently } from './concurrently.ts';

async function* numbers(count: number, state: { taken: number; returned: boolean }): AsyncGenerator<number> {
  try {
    for (let i = 0; i < count; i += 1) {
      state.taken += 1;
      yield i;
    }
  } finally {
    state.returned = true;
  }
}

async function* broken(): AsyncGenerator<number> {
  yield 1;
  throw new Error('unreadable');
}

const never = new AbortController().signal;

describe('concurrently', () => {
  it('works on every item once, at most so many at a time', async () => {
    const state = { taken: 0, returned: false };
    const seen: number[] = [];
    let atWork = 0;
    let most = 0;
    await concurrently(
      numbers(100, state),
      7,
      async (n) => {
        atWork += 1;
        most = Math.max(most, atWork);
        await new Promise(setImmediate);
        atWork -= 1;
        seen.push(n);
      },
      never,
    );
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(most).toBe(7);
  });

  it('takes no more after a failure, waits for those at work, and rejects with the first', async () => {
    const state = { taken: 0, returned: false };
    let finished = 0;
    const work = async (n: number): Promise<void> => {
      if (n === 1) throw new Error('first');
      await new Promise(setImmediate);
      finished += 1;
      if (n === 2) throw new Error('second');
    };
    await expect(concurrently(numbers(100, state), 4, work, never)).rejects.toThrow('first');
    expect(finished).toBe(3);
    expect(state).toEqual({ taken: 4, returned: true });
  });

  it('takes no more after an abort and finishes what it has taken', async () => {
    const state = { taken: 0, returned: false };
    const controller = new AbortController();
    const finished: number[] = [];
    const work = async (n: number): Promise<void> => {
      if (n === 10) controller.abort();
      await new Promise(setImmediate);
      finished.push(n);
    };
    await concurrently(numbers(100, state), 4, work, controller.signal);
    expect(finished).toHaveLength(state.taken);
    expect(state.taken).toBeLessThan(20);
    expect(state.returned).toBe(true);
  });

  it('rejects with what the source of the items rejects with', async () => {
    await expect(concurrently(broken(), 3, async () => {}, never)).rejects.toThrow('unreadable');
  });
});
