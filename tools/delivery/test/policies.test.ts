import { describe } from '@jest/globals';
import { redriveScenarios, retryScenarios } from './policies/scenarios.ts';
import { useBackend } from './support/backends.ts';

describe('Delivery policies in process', () => {
  const backend = useBackend('inprocess');
  retryScenarios(backend, [300, 700]);
  redriveScenarios(backend);
});
