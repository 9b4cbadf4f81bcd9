import { describe } from '@jest/globals';
import { storeScenarios, topicScenarios } from '../evolution/scenarios.ts';
import { harnessScenarios } from '../harness/scenarios.ts';
import { operationsScenarios } from '../operations/scenarios.ts';
import { crashScenarios, outageScenarios } from '../policies/crashes.ts';
import { redriveScenarios, retryScenarios } from '../policies/scenarios.ts';
import { brokerRequestScenarios } from '../requests/on-broker.ts';
import { traceScenarios } from '../tracing/scenarios.ts';
import { trailScenarios } from '../trail/scenarios.ts';
import { type BackendName, useBackend } from './backends.ts';

/** All that is shown on a broker, with one server. */
export function showOn(name: Exclude<BackendName, 'inprocess'>): void {
  const backend = useBackend(name);
  describe('Delivery policies', () => {
    retryScenarios(backend, [1_000, 5_000]);
    redriveScenarios(backend);
    crashScenarios(backend, Number(process.env['KILLS'] ?? 2));
    outageScenarios(backend, 3_000);
  });
  describe('Requests', () => {
    brokerRequestScenarios(backend, process.env['LONG'] === undefined ? 600 : 5_000);
  });
  describe('The test harness', () => {
    harnessScenarios({
      open: async () => ({ transport: await backend.open() }),
      topic: () => backend.topic(),
      timeoutMs: 40_000,
    });
  });
  describe('Operations', () => {
    operationsScenarios(backend);
  });
  describe('Evolution', () => {
    topicScenarios(backend);
    storeScenarios(backend);
  });
  describe('Traces', () => {
    traceScenarios(backend, 1_000);
  });
  describe('The trail of a message', () => {
    trailScenarios(backend, 500);
  });
}
