import { type BentoError, type ErrorCode, isBentoError, PublishError } from '../errors.ts';

/** What became of a publish of `count` messages. */
export interface PublishFailure {
  readonly message: string;
  /** Indexes of the messages that are not confirmed. */
  readonly failed: readonly number[];
  readonly count: number;
  /** What was found for them. */
  readonly error: unknown;
  /** What lay beneath. @default error */
  readonly cause?: unknown;
}

/** Codes that say all there is to say, where nothing of a call was stored. */
const plainCodes: ReadonlySet<string> = new Set(['AUTHENTICATION', 'AUTHORIZATION', 'UNKNOWN_TOPIC']);

/** What a publish rejects with: a `PublishError` with its reason; `error` itself where none is stored and its code says why. */
export function publishFailure({ message, failed, count, error, cause = error }: PublishFailure): BentoError {
  if (failed.length === count && isBentoError(error) && plainCodes.has(error.code)) return error;
  return new PublishError(
    message,
    failed.toSorted((a, b) => a - b),
    isBentoError(error) && error.retryable,
    { cause, reason: reasonOf(error) },
  );
}

/** Of an error about several messages: what it says itself, or what it says of its cause. */
function reasonOf(error: unknown): ErrorCode | undefined {
  if (!isBentoError(error)) return undefined;
  return error.code === 'PUBLISH' ? (error as PublishError).reason : error.code;
}
