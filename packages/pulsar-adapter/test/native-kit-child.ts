// Runs the kit on the native driver without a test runner, and prints each result as a line of JSON: errors of an addon are foreign inside jest.

import { runScenario, transportScenarios } from '@bento-bus/conformance';
import { createPulsarTransport } from '@bento-bus/pulsar-adapter';
import { harnessOf } from './support/kit-harness.ts';

const [, , serviceUrl = '', webUrl = '', only = ''] = process.argv;
const harness = harnessOf({ serviceUrl, webUrl }, 'native', (options) => createPulsarTransport(options));
for (const scenario of transportScenarios) {
  if (!scenario.name.includes(only)) continue;
  const start = performance.now();
  const result = await runScenario(scenario, harness);
  const error = result.status === 'failed' ? String((result.error as Error).stack) : undefined;
  console.log(JSON.stringify({ ...result, error, ms: Math.round(performance.now() - start) }));
}
console.log('done');
