export { isRetryable } from '@bento-bus/core/adapter';
export type { FailureText } from './failure.ts';
export { describeError } from './failure.ts';
export { failureHeaders, isOfAnother } from './headers.ts';
export type { DeadLetterReason } from './history.ts';
export {
  createMemoryIdempotencyStore,
  type IdempotentOptions,
  idempotent,
  type MemoryIdempotencyOptions,
} from './idempotency/index.ts';
export { auditTopic, deadLetterGroup, deadLetterTopic, retryTopic } from './names.ts';
export type { RetryOptions } from './options.ts';
export { createParkingStore, type ParkingStoreOptions } from './parking/event-parking-store.ts';
export type { ParkedFailure, ParkedMessage, ParkingPlace, ParkingStore, ToPark } from './parking/store.ts';
export { type DeadLetter, type DeadLetterFilter, fits, readDeadLetter } from './redrive/letter.ts';
export type { LetterEdit, RedriveOptions, RedriveProgress, RedriveReport } from './redrive/options.ts';
export { countParked, listParked, type RedriveParkedOptions, redriveParked } from './redrive/parked.ts';
export { listDeadLetters, redrive } from './redrive/redrive.ts';
export { retry } from './retry.ts';
