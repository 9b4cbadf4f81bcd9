import { describe } from '@jest/globals';
import { storeScenarios, topicScenarios } from './evolution/scenarios.ts';
import { useBackend } from './support/backends.ts';

describe('Evolution in process', () => {
  const backend = useBackend('inprocess');
  topicScenarios(backend);
  storeScenarios(backend);
});
