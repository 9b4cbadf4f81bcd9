import { describeScenarios, type TestRunner } from '../runner.ts';
import type { AdminScenario } from './context.ts';
import { groupScenarios } from './groups.ts';
import type { AdminHarness } from './harness.ts';
import { moveScenarios } from './moves.ts';
import { topicScenarios } from './topics.ts';

/** All promises of the ports for administration. Each makes its own clients, topics and groups, so they may run at the same time. */
export const adminScenarios: readonly AdminScenario[] = [...topicScenarios, ...groupScenarios, ...moveScenarios];

/**
 * Declares the scenarios of the ports for administration as tests, a group named after the harness. What the harness does not declare is
 * skipped, with the reason in the test's name. Throws a `CONFIGURATION` error when `harness.skip` names a scenario that does not exist.
 */
export function describeAdmin(runner: TestRunner, harness: AdminHarness): void {
  describeScenarios(runner, harness.name, adminScenarios, harness);
}
