import type { Capabilities } from '@bento-bus/core';
import type { SubscriptionType } from './driver.ts';

const base = { durable: true, startPositions: ['earliest', 'latest', 'time'], delays: true } as const;

/**
 * What each subscription type promises. Key_Shared: keys are spread over the members and keep their order. Failover: one member reads a
 * topic or partition at a time, the others stand by. Exclusive: one member a topic. Shared: no order.
 */
export const capabilitiesOf: Readonly<Record<SubscriptionType, Capabilities>> = {
  Key_Shared: { ...base, ordering: 'key', sharesGroupAcrossProcesses: true },
  Failover: { ...base, ordering: 'key', sharesGroupAcrossProcesses: true },
  Exclusive: { ...base, ordering: 'key', sharesGroupAcrossProcesses: false },
  Shared: { ...base, ordering: 'none', sharesGroupAcrossProcesses: true },
};
