import type { Capabilities } from '@bento-bus/core';

/** Order is that of a partition, hence of a key. */
export const capabilities: Capabilities = {
  durable: true,
  ordering: 'key',
  sharesGroupAcrossProcesses: true,
  startPositions: ['earliest', 'latest', 'time'],
  delays: true,
};
