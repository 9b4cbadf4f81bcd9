import { type Connection, protocolErrors, protocolErrorsCodesById, TimeoutError } from '@platformatic/kafka';
import { isTlsFault } from '../errors.ts';
import { endOf } from './ends.ts';

/** An error of this client with the fields by which `errors.ts` tells errors apart. */
export class ClientError extends Error {
  override readonly name = 'KafkaClientError';
  /** The broker's error by its name in the protocol; `NETWORK`: there was no answer. */
  readonly type: string;
  readonly retriable: boolean;
  /** What the broker wants to be called by in the next request to join. */
  readonly memberId: string | undefined;
  /** Of TLS, by Node.js. */
  readonly code: unknown;

  constructor(
    type: string,
    message: string,
    retriable: boolean,
    cause?: unknown,
    { memberId, code }: { readonly memberId?: string | undefined; readonly code?: unknown } = {},
  ) {
    super(message, { cause });
    this.type = type;
    this.retriable = retriable;
    this.memberId = memberId;
    this.code = code;
  }
}

/** The fields of the client's errors that count here. */
interface Nested {
  readonly code?: unknown;
  readonly message?: string;
  readonly apiId?: string;
  readonly canRetry?: boolean;
  readonly serverErrorMessage?: string | null;
  readonly memberId?: string;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

/** The client's error as `errors.ts` understands it; errors that are not the client's pass as they are. On which connection it was. */
export function faultOf(cause: unknown, connection?: Connection): unknown {
  // That it was closed says less than why.
  const all = [...within(cause, new Set()), ...within(connection && endOf(connection), new Set())];
  if (cause instanceof ClientError || !all.some(({ code }) => String(code).startsWith('PLT_KFK_'))) return cause;
  // What was left alone because of another says nothing.
  const told = all.filter(({ apiId = 'OPERATION_NOT_ATTEMPTED' }) => apiId !== 'OPERATION_NOT_ATTEMPTED');
  // Of several, that for which trying again is of no use.
  const answer = told.find(({ canRetry }) => canRetry === false) ?? told[0];
  if (answer !== undefined) {
    const { apiId = '', serverErrorMessage, message = apiId, canRetry = false, memberId } = answer;
    return new ClientError(apiId, serverErrorMessage || message, canRetry, cause, { memberId });
  }
  const text = all.at(-1)?.message ?? String(cause);
  const code = all.find((one) => isTlsFault(one.code))?.code;
  if (code !== undefined) return new ClientError('NETWORK', text, false, cause, { code });
  if (all.some((one) => one.code === 'PLT_KFK_AUTHENTICATION'))
    return new ClientError('SASL_AUTHENTICATION_FAILED', text, false, cause);
  if (all.some(({ message = '' }) => message === 'Broker requires TLS.'))
    return new ClientError('TLS_MISSING', text, false, cause);
  if (cause instanceof TimeoutError) return new ClientError('REQUEST_TIMED_OUT', text, true, cause);
  return new ClientError('NETWORK', text, !all.some((one) => one.code === 'PLT_KFK_USER'), cause);
}

/** The error, and all that it was made of. */
function* within(error: unknown, seen: Set<unknown>): Generator<Nested> {
  if (typeof error !== 'object' || error === null || seen.has(error)) return;
  seen.add(error);
  const nested: Nested = error;
  const { errors = [], cause } = nested;
  yield nested;
  for (const one of errors) yield* within(one, seen);
  yield* within(cause, seen);
}

/** Its name in the protocol, where it is an answer of a broker. */
export const typeOf = (error: unknown): string => (error instanceof ClientError ? error.type : '');

export const isRetriable = (error: unknown): boolean => error instanceof ClientError && error.retriable;

/** The error that a broker's code stands for. */
export function answerOf(code: number): ClientError {
  const name = protocolErrorsCodesById[code] ?? 'UNKNOWN_SERVER_ERROR';
  const { message = `error ${code}`, canRetry = false } = protocolErrors[name] ?? {};
  return new ClientError(name, message, canRetry);
}
