import { eventually } from '@bento-bus/conformance';
import { describe, expect, it } from '@jest/globals';
import type { GaugeValue } from '../gauges.ts';
import { GaugeFamily } from './gauge-family.ts';

const name = { otel: 'app.lag', prometheus: 'app_lag' };

describe('A gauge', () => {
  it('is read once for all who ask, who wait for it no longer than its limit', async () => {
    const faults: unknown[] = [];
    const family = new GaugeFamily({ name, help: '', unit: '', labels: [] }, (error) => void faults.push(error), 20);
    const answers: ((values: readonly GaugeValue[]) => void)[] = [];
    const answer = (nth: number, value: number): void => answers[nth]?.([{ labels: {}, value }]);
    family.add(
      () =>
        new Promise((settle) => {
          answers.push(settle);
        }),
    );
    const first = [family.samples(), family.samples()];
    expect(answers).toHaveLength(1);
    answer(0, 1);
    expect(await Promise.all(first)).toEqual([[{ labels: {}, value: 1 }], [{ labels: {}, value: 1 }]]);
    // It hangs: the last ones, and no further question.
    for (let i = 0; i < 2; i += 1) expect(await family.samples()).toEqual([{ labels: {}, value: 1 }]);
    expect(answers).toHaveLength(2);
    expect(faults).toEqual([expect.objectContaining({ code: 'TIMEOUT' })]);
    answer(1, 2);
    await eventually(
      async () => {
        void family.samples();
        return answers.length === 3;
      },
      { deadlineMs: 10_000 },
    );
    expect(await family.samples()).toEqual([{ labels: {}, value: 2 }]);
  });
});
