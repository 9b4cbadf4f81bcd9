import { BentoError, type ErrorCode, isBentoError, ValidationError } from '@bento-bus/core';

interface Kind {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly advice: string;
}

const authentication: Kind = { code: 'AUTHENTICATION', retryable: false, advice: 'Check user name and password.' };
const connection: Kind = {
  code: 'CONNECTION',
  retryable: true,
  advice: 'Check that the server runs and the URL is right.',
};
const busy: Kind = { code: 'CONNECTION', retryable: true, advice: 'Try again later.' };
const timeout: Kind = { code: 'TIMEOUT', retryable: true, advice: 'Try again later.' };
const notWritable: Kind = { code: 'CONNECTION', retryable: true, advice: 'Free disk space, then try again.' };
const missing: Kind = {
  code: 'CONFIGURATION',
  retryable: false,
  advice: 'Open the store again, or call ensure() of the read models: both create what is missing.',
};
const closed: Kind = { code: 'CLOSED', retryable: false, advice: 'Open the store again.' };
const unexpected: Kind = { code: 'CONNECTION', retryable: false, advice: 'See the cause.' };

// https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
const byServerCode: ReadonlyMap<string, Kind> = new Map([
  ['192', authentication], // UNKNOWN_USER
  ['193', authentication], // WRONG_PASSWORD
  ['194', authentication], // REQUIRED_PASSWORD
  ['516', authentication], // AUTHENTICATION_FAILED
  ['164', { code: 'AUTHORIZATION', retryable: false, advice: 'Use a user that may write.' }], // READONLY
  ['497', { code: 'AUTHORIZATION', retryable: false, advice: 'Grant the user what the cause names.' }], // ACCESS_DENIED
  ['60', missing], // UNKNOWN_TABLE
  ['81', missing], // UNKNOWN_DATABASE
  ['159', timeout], // TIMEOUT_EXCEEDED
  ['209', timeout], // SOCKET_TIMEOUT
  ['210', connection], // NETWORK_ERROR
  ['279', connection], // ALL_CONNECTION_TRIES_FAILED
  ['319', timeout], // UNKNOWN_STATUS_OF_INSERT
  ['202', busy], // TOO_MANY_SIMULTANEOUS_QUERIES
  ['236', busy], // ABORTED: the server shuts down
  ['241', busy], // MEMORY_LIMIT_EXCEEDED
  ['242', busy], // TABLE_IS_READ_ONLY: a replica without its Keeper
  ['252', busy], // TOO_MANY_PARTS
  ['285', busy], // TOO_FEW_LIVE_REPLICAS
  ['999', busy], // KEEPER_EXCEPTION
  ['74', notWritable], // CANNOT_READ_FROM_FILE_DESCRIPTOR
  ['75', notWritable], // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  ['76', notWritable], // CANNOT_OPEN_FILE
  ['243', notWritable], // NOT_ENOUGH_SPACE
  ['1001', notWritable], // STD_EXCEPTION: std::filesystem on a full disk
]);

// The server ran the insert or not: it cannot tell (or could not tell us).
const inDoubt: ReadonlySet<string> = new Set(['159', '209', '210', '236', '279', '319', '999']);

const systemCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const oneLine = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/[.:;,]+$/, '');

/** Message of whatever was thrown, with the messages of an AggregateError (Node's for a host with several addresses). */
export function reasonOf(cause: unknown): string {
  const { message, errors } = record(cause);
  if (typeof message === 'string' && message !== '') return oneLine(message);
  if (Array.isArray(errors) && errors.length > 0) return [...new Set(errors.map(reasonOf))].join('; ');
  return oneLine(String(cause));
}

function kindOf(cause: unknown): Kind {
  const { code, errors, message } = record(cause);
  const text = typeof message === 'string' ? message : '';
  if (Array.isArray(errors) && errors.length > 0) return kindOf(errors[0]);
  if (typeof code === 'string') {
    const known = byServerCode.get(code);
    if (known !== undefined) return known;
    if (systemCodes.has(code)) return connection;
    if (code === 'CHDB_CLOSED') return closed;
  }
  if (text.startsWith('Timeout error')) return timeout;
  if (/socket hang up|other side closed/i.test(text)) return connection;
  if (/is closed|has been closed/i.test(text)) return closed;
  return unexpected;
}

/** True when the statement may have been run although it failed: the answer was lost. */
export function isAnswerLost(cause: unknown): boolean {
  const { code, errors, cause: inner } = record(cause);
  if (isBentoError(cause)) return inner !== undefined && isAnswerLost(inner);
  if (Array.isArray(errors) && errors.length > 0) return errors.some(isAnswerLost);
  if (typeof code === 'string' && /^\d+$/.test(code)) return inDoubt.has(code);
  return kindOf(cause) === connection || kindOf(cause) === timeout;
}

/** Error text of this package: `clickhouse-store: cannot <do> "<what>": <cause>. <what to do>`. */
const text = (doing: string, reason: string, advice: string): string =>
  `clickhouse-store: cannot ${doing}: ${oneLine(reason)}. ${advice}`;

/** One typed error for whatever the client, the engine or Node threw; `doing` names what was tried. */
export function toBentoError(cause: unknown, doing: string): BentoError {
  if (isBentoError(cause)) return cause;
  const kind = kindOf(cause);
  return new BentoError(kind.code, text(doing, reasonOf(cause), kind.advice), kind.retryable, { cause });
}

/** An error of ours. */
export const fault = (
  code: ErrorCode,
  doing: string,
  reason: string,
  advice: string,
  cause?: unknown,
  retryable = false,
): BentoError => new BentoError(code, text(doing, reason, advice), retryable, cause === undefined ? {} : { cause });

/** Refused input; every fault in one message. */
export function invalid(
  doing: string,
  issues: readonly { readonly path: string; readonly message: string }[],
  advice: string,
): ValidationError {
  const list = issues.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ');
  return new ValidationError(text(doing, list, advice), issues);
}

/** Used after close. */
export const closedError = (doing: string): BentoError =>
  fault('CLOSED', doing, 'the store is closed', 'Open it again.');

/** The caller's signal was aborted. */
export const aborted = (doing: string): BentoError =>
  fault('ABORTED', doing, 'its signal was aborted', 'Call it again.');
