export type { EventStoreHarness } from './event-store/harness.ts';
export { describeEventStore, eventStoreScenarios } from './event-store/scenarios.ts';
export { type EventuallyOptions, eventually } from './eventually.ts';
export { uniqueName } from './names.ts';
export type { TestDeclaration, TestRunner } from './runner.ts';
export { type Harness, runScenario, type Scenario, type ScenarioResult } from './scenario.ts';
export { seededRandom } from './seeded-random.ts';
export type { TransportHarness, TransportModule, TransportProcesses } from './transport/harness.ts';
export { describeTransport, transportScenarios } from './transport/scenarios.ts';
