import { describeScenarios, type TestRunner } from '../runner.ts';
import { batchScenarios } from './batch.ts';
import { checkpointScenarios } from './checkpoint.ts';
import { closeScenarios } from './close.ts';
import type { TransportScenario } from './context.ts';
import { crashScenarios } from './crash.ts';
import { delayScenarios } from './delay.ts';
import { deliveryScenarios } from './delivery.ts';
import { exhaustedScenarios } from './exhausted.ts';
import { groupScenarios } from './groups.ts';
import type { TransportHarness } from './harness.ts';
import { memberScenarios } from './members.ts';
import { middlewareScenarios } from './middleware.ts';
import { orderScenarios } from './order.ts';
import { processGroupScenarios } from './process-groups.ts';
import { publishScenarios } from './publish.ts';
import { redeliveryScenarios } from './redelivery.ts';
import { restartScenarios } from './restart.ts';
import { startScenarios } from './start.ts';

import { tenantScenarios } from './tenants.ts';

/** All promises of the transport port. Each makes its own client, topics and groups, so they may run at the same time. */
export const transportScenarios: readonly TransportScenario[] = [
  ...deliveryScenarios,
  ...orderScenarios,
  ...redeliveryScenarios,
  ...groupScenarios,
  ...memberScenarios,
  ...startScenarios,
  ...batchScenarios,
  ...closeScenarios,
  ...publishScenarios,
  ...middlewareScenarios,
  ...exhaustedScenarios,
  ...checkpointScenarios,
  ...restartScenarios,
  ...crashScenarios,
  ...processGroupScenarios,
  ...delayScenarios,
  ...tenantScenarios,
];

/**
 * Declares the scenarios of the transport port as tests, a group named after the harness. What the harness does not declare is skipped,
 * with the reason in the test's name. Throws a `CONFIGURATION` error when `harness.skip` names a scenario that does not exist.
 */
export function describeTransport(runner: TestRunner, harness: TransportHarness): void {
  describeScenarios(runner, harness.name, transportScenarios, harness);
}
