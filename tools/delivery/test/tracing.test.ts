import { describe } from '@jest/globals';
import { useBackend } from './support/backends.ts';
import { traceScenarios } from './tracing/scenarios.ts';

describe('Traces in process', () => {
  traceScenarios(useBackend('inprocess'), 50);
});
