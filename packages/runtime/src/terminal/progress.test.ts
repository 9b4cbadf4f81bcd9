import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { TextOutput } from './output.ts';
import { createProgress } from './progress.ts';

const gather = (isTTY: boolean): TextOutput & { readonly text: string } => {
  let text = '';
  return {
    isTTY,
    columns: 200,
    write: (chunk) => {
      text += chunk;
    },
    get text() {
      return text;
    },
  };
};

describe('progress where there is no terminal', () => {
  it('is a line every few seconds for each stage', () => {
    let now = 0;
    const out = gather(false);
    const progress = createProgress(out, { lineEveryMs: 5_000, now: () => now });
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
    progress.update('Looking', 0);
    now = 20_000;
    progress.update('Looking', 3_000);
    progress.stop();
    expect(out.text.split('\n')).toEqual([
      'Importing invoices: 200 of 2,000',
      'Importing invoices: 1,200 of 2,000',
      'Updating the read model: 1 of 2,000',
      'Looking: 3,000',
      '',
    ]);
  });

  it('is nothing unless lines are wanted', () => {
    let now = 0;
    const out = gather(false);
    const progress = createProgress(out, { now: () => now });
    progress.update('Importing', 0, 2_000);
    now = 3_600_000;
    progress.update('Importing', 1, 2_000);
    progress.stop();
    expect(out.text).toBe('');
  });
});

/** What is left on each line: a bar is drawn over itself. */
const shown = (text: string): readonly string[] =>
  text.split('\n').map((line) => stripVTControlCharacters(line.split('\u001b[1G').at(-1) ?? '').trim());

describe('progress on a terminal', () => {
  it('is a bar for each stage, which is left where it ended', () => {
    const out = gather(true);
    const progress = createProgress(out);
    progress.update('Nothing', 0, 0);
    progress.update('Importing', 0, 2_000);
    progress.update('Importing', 1_000, 2_000);
    progress.update('Looking, messages read:', 10);
    progress.update('Looking, messages read:', 1_234);
    progress.stop();
    progress.stop();
    expect(shown(out.text)).toEqual([
      expect.stringMatching(/^Importing █+░+ 50% 1,000 of 2,000, \d+s$/),
      'Looking, messages read: 1,234',
      '',
    ]);
  });
});
