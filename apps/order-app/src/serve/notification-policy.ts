import type { Middleware } from '@bento-bus/core';
import { retry } from '@bento-bus/dlq';
import type { NotificationPolicyParts } from '../order-app.ts';

/** Tries in place, the first among them. */
const attempts = 3;
/** One more try after each. Milliseconds. */
const defaultDelays = [1_000, 5_000] as const;

/** Tries of a notification before it is a dead letter, or waits for good. */
export const triesOf = (delays: readonly number[] = defaultDelays): number => attempts + delays.length;

/**
 * What becomes of notifications that fail while the shop is served. On a broker: delayed tries, then a dead letter. In process a dead
 * letter would be gone with the process: there they are parked in the event store, in order per order.
 */
export const notificationPolicy =
  (delays: readonly number[] = defaultDelays) =>
  ({ transport, parking }: NotificationPolicyParts): Middleware =>
    transport.capabilities.durable
      ? retry({ attempts, delays })
      : retry({ attempts, delays, sequence: 'key', parking });
