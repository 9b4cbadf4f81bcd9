import { BentoError } from '@bento-bus/core';
import { type Harness, type Scenario, skipReason, timeLimit } from './scenario.ts';

/** Declares one test. `timeoutMs` is what jest and vitest take as third argument; node:test, which has no limit of its own, ignores it. */
export interface TestDeclaration {
  (name: string, fn: () => Promise<void>, timeoutMs?: number): unknown;
  skip(name: string, fn: () => Promise<void>): unknown;
}

/**
 * What a kit needs of a test runner: `import { describe, it } from 'node:test'`, from `'vitest'` or from `'@jest/globals'` fits as it is.
 */
export interface TestRunner {
  readonly describe: (name: string, fn: () => void) => unknown;
  readonly it: TestDeclaration;
}

/** Declares scenarios as tests of the runner; those that the harness cannot run are skipped, with the reason in the test's name. */
export function describeScenarios<H extends Harness>(
  { describe, it }: TestRunner,
  title: string,
  scenarios: readonly Scenario<H>[],
  harness: H,
): void {
  checkSkips(scenarios, harness);
  describe(title, () => {
    for (const scenario of scenarios) {
      const reason = skipReason(scenario, harness);
      const run = (): Promise<void> => scenario.run(harness);
      if (reason === undefined) it(scenario.name, run, timeLimit(scenario, harness));
      else it.skip(`${scenario.name} (skipped: ${reason})`, run);
    }
  });
}

/** A name that no scenario has skips nothing, and nobody would notice. */
function checkSkips<H extends Harness>(scenarios: readonly Scenario<H>[], harness: H): void {
  const unknown = Object.keys(harness.skip ?? {}).filter((name) => scenarios.every((one) => one.name !== name));
  if (unknown.length === 0) return;
  throw new BentoError(
    'CONFIGURATION',
    `conformance: cannot skip "${unknown.join('", "')}" of harness "${harness.name}": no scenario has this name. Take it from the list in the README.`,
  );
}
