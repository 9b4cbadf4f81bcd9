import { BentoError, type ErrorCode, isBentoError } from '@bento-bus/core';
import { isRetryable, thrownText } from '@bento-bus/core/adapter';

/**
 * Several handlers of one event failed; all of them ran. `errors` holds what each threw, in the order of their registration; `cause` is
 * the first. Its code is that of all of them where they agree, else `HANDLER`. Retryable when any of them is: those that succeeded do not
 * run again.
 */
export class HandlersError extends BentoError {
  readonly errors: readonly unknown[];

  constructor(type: string, errors: readonly unknown[]) {
    super(
      commonCode(errors),
      `dispatcher: cannot handle "${type}" everywhere: ${errors.length} of its handlers failed, first: ${thrownText(errors[0])}. \`errors\` holds what each threw.`,
      errors.some(isRetryable),
      { cause: errors[0] },
    );
    this.errors = errors;
  }
}

/** Who took a request failed. `remoteCode` is the code of the error there, or its name; retryable when that error was. */
export class RemoteError extends BentoError {
  readonly remoteCode: string;

  constructor(type: string, remoteCode: string, message: string, retryable: boolean) {
    super('REMOTE', `dispatcher: the request "${type}" failed at its responder: ${message} (${remoteCode})`, retryable);
    this.remoteCode = remoteCode;
  }
}

/** As many requests wait for their replies as may. Nothing was sent. */
export class TooManyRequestsError extends BentoError {
  readonly maxPending: number;

  constructor(type: string, maxPending: number) {
    super(
      'PUBLISH',
      `dispatcher: cannot request "${type}": ${maxPending} requests wait for their replies. Ask again when some of them are answered, or raise maxPending.`,
      true,
    );
    this.maxPending = maxPending;
  }
}

/** Code of anything that was thrown: its own, else its name. */
export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  if (typeof code === 'string' && code !== '') return code;
  return error instanceof Error ? error.name : 'HANDLER';
}

function commonCode(errors: readonly unknown[]): ErrorCode {
  const codes = new Set(errors.map((error) => (isBentoError(error) ? error.code : 'HANDLER')));
  const [first = 'HANDLER'] = codes;
  return codes.size === 1 ? first : 'HANDLER';
}
