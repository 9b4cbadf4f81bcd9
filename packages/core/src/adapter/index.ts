export { type Backoff, type FullJitterOptions, fullJitter } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { type CloudEventHead, cloudEvents, fromHeaders, toHeaders } from './cloudevents.ts';
export { type Coalescer, type CoalescerOptions, createCoalescer } from './coalescer.ts';
export {
  type CrashGuard,
  type CrashGuardOptions,
  company,
  createCrashGuard,
  type GuardEntry,
  type GuardState,
} from './crash-guard.ts';
export { type Deferred, deferred } from './deferred.ts';
export { closeAll, closeOnce, closeTogether, withDeadline } from './drain.ts';
export { dueTimeOf } from './due-time.ts';
export { guarded } from './guarded.ts';
export { formatGuarded, parseGuarded } from './guarded-progress.ts';
export { createHeap, type Heap } from './heap.ts';
export { largestInFlight } from './in-flight.ts';
export { createLanes, type Lanes, type LanesOptions } from './lanes.ts';
export { checkLogItems } from './log-items.ts';
export { type ResolvedSubscribeOptions, resolveSubscribeOptions } from './options.ts';
export { type PlainOptions, type PlainRecord, plain } from './plain.ts';
export {
  type PrepareContext,
  type PreparedSubscription,
  prepareSubscription,
  type SubscriptionHandler,
  type TopicNeed,
} from './prepare.ts';
export { formatProgress, type PositionKind, parseProgress } from './progress.ts';
export { type PublishFailure, publishFailure } from './publish-failure.ts';
export { headerText, isInterruption, isOversize, isRetryable, thrownText } from './thrown.ts';
export { Turns } from './turns.ts';
export { createWatermark, type OrderedPosition, type Progress, type Unfinished, type Watermark } from './watermark.ts';
export { positionId, type ReceivedRecord, readRecord, type WireFormat, type WireRecord } from './wire-format.ts';
export type { WireHeaders, WireValue } from './wire-values.ts';
