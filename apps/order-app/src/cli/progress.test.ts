import { describe, expect, it } from '@jest/globals';
import { createProgress } from './progress.ts';

describe('progress where there is no terminal', () => {
  it('is a line every few seconds for each stage', () => {
    let text = '';
    let now = 0;
    const out = { isTTY: false, write: (chunk: string) => (text += chunk) } as unknown as NodeJS.WriteStream;
    const progress = createProgress(out, () => now);
    for (const [at, done] of [
      [0, 0],
      [4_999, 100],
      [5_000, 200],
      [9_000, 300],
      [10_000, 1_200],
    ] as const) {
      now = at;
      progress.update('Importing invoices', done, 2_000);
    }
    progress.update('Updating the read model', 0, 2_000);
    now = 15_000;
    progress.update('Updating the read model', 1, 2_000);
    progress.stop();
    expect(text.split('\n')).toEqual([
      'Importing invoices: 200 of 2,000',
      'Importing invoices: 1,200 of 2,000',
      'Updating the read model: 1 of 2,000',
      '',
    ]);
  });
});
