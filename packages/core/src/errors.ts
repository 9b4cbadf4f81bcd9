/** Every code an error of these packages can carry. `REPLICAS`: too few of a partition's replicas are in sync to store anything; `UNSUPPORTED`: the backend or platform cannot do it; `CLOSED`: used after close; `NO_RESPONDER`: nobody took a request in time; `REMOTE`: who took it failed. */
export type ErrorCode =
  | 'CONFIGURATION'
  | 'CONNECTION'
  | 'AUTHENTICATION'
  | 'AUTHORIZATION'
  | 'PUBLISH'
  | 'REPLICAS'
  | 'OVERSIZE'
  | 'UNKNOWN_TOPIC'
  | 'UNKNOWN_GROUP'
  | 'GROUP_CONFLICT'
  | 'HANDLER'
  | 'CODEC'
  | 'VALIDATION'
  | 'CONCURRENCY'
  | 'FENCED'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'CLOSED'
  | 'NO_RESPONDER'
  | 'REMOTE'
  | 'UNSUPPORTED';

const brand: symbol = Symbol.for('bento-bus.error');

/**
 * Base of every error thrown by these packages. `code` says what happened, `retryable` whether the same call can succeed later
 * without a change, `cause` what lay beneath. Test with {@link isBentoError}: it holds across duplicate copies of this package.
 */
export class BentoError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, retryable = false, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
  }
}

Object.defineProperty(BentoError.prototype, brand, { value: true });

/** True for a {@link BentoError} of any copy of this package. With `code`, only for that code. */
export function isBentoError(error: unknown, code?: ErrorCode): error is BentoError {
  return (
    typeof error === 'object' &&
    error !== null &&
    brand in error &&
    (code === undefined || (error as BentoError).code === code)
  );
}

/** Some messages of one publish were not confirmed. They may be stored all the same; publishing them again keeps their ids. */
export class PublishError extends BentoError {
  /** Indexes into the published array, ascending. */
  readonly failed: readonly number[];
  /** Why, as far as that is known: `CONNECTION`, `TIMEOUT`, `REPLICAS`, … */
  readonly reason?: ErrorCode;

  constructor(
    message: string,
    failed: readonly number[],
    retryable: boolean,
    options?: ErrorOptions & { readonly reason?: ErrorCode | undefined },
  ) {
    super('PUBLISH', message, retryable, options);
    this.failed = failed;
    if (options?.reason !== undefined) this.reason = options.reason;
  }
}

/** Another writer moved the stream past `expectedVersion`. Load again and decide again. */
export class ConcurrencyError extends BentoError {
  readonly expectedVersion: number;
  readonly actualVersion: number;

  constructor(stream: { readonly type: string; readonly id: string }, expectedVersion: number, actualVersion: number) {
    super(
      'CONCURRENCY',
      `stream ${stream.type}/${stream.id}: expected version ${expectedVersion}, found ${actualVersion}. Load it again and decide again.`,
      true,
    );
    this.expectedVersion = expectedVersion;
    this.actualVersion = actualVersion;
  }
}

/** Another process took the log over; this publisher must stop. */
export class FencedError extends BentoError {
  constructor(message: string, options?: ErrorOptions) {
    super('FENCED', message, false, options);
  }
}

/** Bytes or a value that a codec refuses. Never retryable: the same bytes fail again. */
export class CodecError extends BentoError {
  /** The codec's content type. */
  readonly codec: string;
  /** Where in the input, when the codec knows: a byte offset or a path. */
  readonly at?: string;
  /** By which schema, when the codec has schemas: type and version, `order.placed 2`. */
  readonly schema?: string;

  constructor(
    codec: string,
    message: string,
    options?: ErrorOptions & { readonly at?: string; readonly schema?: string },
  ) {
    super('CODEC', message, false, options);
    this.codec = codec;
    if (options?.at !== undefined) this.at = options.at;
    if (options?.schema !== undefined) this.schema = options.schema;
  }
}

/** A payload that its schema refuses. `issues` name the fields. */
export class ValidationError extends BentoError {
  readonly issues: readonly { readonly path: string; readonly message: string }[];

  constructor(
    message: string,
    issues: readonly { readonly path: string; readonly message: string }[],
    options?: ErrorOptions,
  ) {
    super('VALIDATION', message, false, options);
    this.issues = issues;
  }
}

/**
 * Some handlers of one event failed; all of them ran. `errors` holds what each of the failed ones threw, in the order of their
 * registration; `cause` is the first. Not retryable: the handlers that succeeded would run again.
 */
export class EventHandlersError extends BentoError {
  readonly errors: readonly unknown[];

  constructor(message: string, errors: readonly unknown[]) {
    super('HANDLER', message, false, { cause: errors[0] });
    this.errors = errors;
  }
}
