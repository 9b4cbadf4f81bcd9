import type { Capabilities } from '@bento-bus/core';

/** Bodies live in memory: durability is that of a log, see `openCheckpointed`. */
export const capabilities: Capabilities = {
  durable: false,
  ordering: 'key',
  sharesGroupAcrossProcesses: false,
  startPositions: ['earliest', 'latest', 'time'],
  delays: true,
};
