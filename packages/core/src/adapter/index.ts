export { type Backoff, type FullJitterOptions, fullJitter } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { closeAll, closeOnce, withDeadline } from './drain.ts';
export { createLanes, type Lanes, type LanesOptions } from './lanes.ts';
export { type ResolvedSubscribeOptions, resolveSubscribeOptions } from './options.ts';
export {
  type PrepareContext,
  type PreparedSubscription,
  prepareSubscription,
  type SubscriptionHandler,
  type TopicNeed,
} from './prepare.ts';
