import { describe, expect, it } from '@jest/globals';
import { describeScenarios, type TestRunner } from './runner.ts';
import { type Harness, runScenario, type Scenario } from './scenario.ts';

interface TestHarness extends Harness {
  readonly can?: boolean;
}
const passing: Scenario<TestHarness> = { name: 'passes', unmet: () => undefined, run: async () => {} };
const failing: Scenario<TestHarness> = {
  name: 'fails',
  unmet: () => undefined,
  run: async () => {
    throw new Error('broken');
  },
};
const needy: Scenario<TestHarness> = {
  name: 'needs more',
  unmet: ({ can }) => (can === true ? undefined : 'it cannot'),
  run: async () => {},
};

/** A runner that writes down what it is given. */
function recorder(): {
  readonly runner: TestRunner;
  readonly declared: string[];
  readonly limits: (number | undefined)[];
} {
  const declared: string[] = [];
  const limits: (number | undefined)[] = [];
  const declare = (name: string, _fn: () => Promise<void>, timeoutMs?: number): void => {
    declared.push(name);
    limits.push(timeoutMs);
  };
  const skip = (name: string): void => void declared.push(`skip: ${name}`);
  const group = (name: string, fn: () => void): void => {
    declared.push(`group: ${name}`);
    fn();
  };
  return { runner: { describe: group, it: Object.assign(declare, { skip }) }, declared, limits };
}

describe('describeScenarios', () => {
  it('declares each scenario as a test, and what is not offered as a skipped one that says why', () => {
    const { runner, declared } = recorder();
    const harness = { name: 'mine', skip: { fails: 'known' } };
    describeScenarios(runner, harness.name, [passing, failing, needy], harness);
    expect(declared).toEqual([
      'group: mine',
      'passes',
      'skip: fails (skipped: known)',
      'skip: needs more (skipped: it cannot)',
    ]);
  });

  it('gives the runner more time than the scenario has, so that the kit can say what was late', () => {
    const { runner, limits } = recorder();
    describeScenarios(runner, 'x', [passing], { name: 'x', deadlineMs: 30_000 });
    expect(limits[0]).toBeGreaterThan(30_000);
  });

  it('refuses to skip a scenario that does not exist', () => {
    const harness = { name: 'x', skip: { typo: 'because' } };
    expect(() => describeScenarios(recorder().runner, 'x', [passing], harness)).toThrow('cannot skip "typo"');
  });
});

describe('runScenario', () => {
  it('tells what passed, failed and was skipped, and never rejects', async () => {
    const harness = { name: 'x' };
    expect(await runScenario(passing, harness)).toEqual({ name: 'passes', status: 'passed' });
    expect(await runScenario(failing, harness)).toMatchObject({ status: 'failed', error: { message: 'broken' } });
    expect(await runScenario(needy, harness)).toEqual({ name: 'needs more', status: 'skipped', reason: 'it cannot' });
    expect(await runScenario(needy, { ...harness, can: true })).toMatchObject({ status: 'passed' });
  });
});
