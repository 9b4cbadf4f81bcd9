import { describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { uniqueName } from './names.ts';
import { seededRandom } from './seeded-random.ts';

const threeOfFour = (): void => {
  throw new Error('3 of 4 arrived');
};

describe('eventually', () => {
  it('waits until the check holds', async () => {
    let tries = 0;
    await eventually(() => (tries += 1) >= 15, { deadlineMs: 5_000, intervalMs: 1 });
    expect(tries).toBe(15);
  });

  it('says in time what was waited for and what the check said last', async () => {
    await expect(eventually(threeOfFour, { deadlineMs: 20, what: 'all messages' })).rejects.toThrow(
      'all messages: not within 20 ms: 3 of 4 arrived',
    );
  });
});

const three = (seed: number): number[] => {
  const random = seededRandom(seed);
  return [random(), random(), random()];
};

describe('seededRandom', () => {
  it('gives the same numbers for the same seed and others for another', () => {
    expect(three(1)).toEqual(three(1));
    expect(three(1)).not.toEqual(three(2));
    for (const number of three(7)) expect(number >= 0 && number < 1).toBe(true);
  });
});

describe('uniqueName', () => {
  it('gives names that fit every backend, each once', () => {
    const names = Array.from({ length: 100 }, () => uniqueName('topic'));
    expect(new Set(names).size).toBe(100);
    for (const name of names) expect(name).toMatch(/^topic-[\da-f]{16}$/);
  });
});
