import { describeScenarios, type TestRunner } from '../runner.ts';
import { appendScenarios } from './append.ts';
import { concurrencyScenarios } from './concurrency.ts';
import type { EventStoreScenario } from './context.ts';
import type { EventStoreHarness } from './harness.ts';
import { lifecycleScenarios } from './lifecycle.ts';
import { readScenarios } from './read.ts';
import { roundTripScenarios } from './round-trip.ts';

/** All promises of the event store port. Each makes its own store; run them one after the other where the stores share a log. */
export const eventStoreScenarios: readonly EventStoreScenario[] = [
  ...appendScenarios,
  ...concurrencyScenarios,
  ...readScenarios,
  ...roundTripScenarios,
  ...lifecycleScenarios,
];

/**
 * Declares the scenarios of the event store port as tests, a group named after the harness. What the harness does not offer is skipped,
 * with the reason in the test's name. Throws a `CONFIGURATION` error when `harness.skip` names a scenario that does not exist.
 */
export function describeEventStore(runner: TestRunner, harness: EventStoreHarness): void {
  describeScenarios(runner, harness.name, eventStoreScenarios, harness);
}
