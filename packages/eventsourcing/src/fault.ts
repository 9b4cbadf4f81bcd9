import { BentoError, type ErrorCode } from '@bento-bus/core';

/** The one form of this package's errors; `rest` is the cause and what to do. Not retryable unless said. */
export const fault = (
  code: ErrorCode,
  what: string,
  rest: string,
  options?: ErrorOptions & { readonly retryable?: boolean },
): BentoError => new BentoError(code, `eventsourcing: cannot ${what}: ${rest}.`, options?.retryable ?? false, options);

/** What an error says, whatever was thrown. */
export const reasonOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
