import type { SubscriptionContext } from '@bento-bus/core';

/** Subscriptions that `retry` is built into already: what is built later is around it. */
export const withRetry: WeakSet<SubscriptionContext> = new WeakSet();
