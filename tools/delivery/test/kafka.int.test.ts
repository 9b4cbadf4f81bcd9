import { describe } from '@jest/globals';
import { showOn } from './support/on-broker.ts';

describe('on Kafka', () => {
  showOn('kafka');
});
