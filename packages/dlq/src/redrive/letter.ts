import type { Delivery, Message } from '@bento-bus/core';
import { failureHeaders as names, numberOf } from '../headers.ts';
import type { DeadLetterReason } from '../history.ts';

/** A dead letter, read. Times are epoch milliseconds; what the letter does not say is undefined. */
export interface DeadLetter {
  /** Id, type, key, headers and bytes of the original, with the headers of {@link failureHeaders}. */
  readonly message: Message;
  /** Where it stands among the dead letters. */
  readonly position: string;
  readonly reason: DeadLetterReason | undefined;
  readonly errorCode: string | undefined;
  readonly error: string | undefined;
  readonly stack: string | undefined;
  readonly attempts: number | undefined;
  readonly firstFailed: number | undefined;
  readonly lastFailed: number | undefined;
  readonly originTopic: string | undefined;
  readonly originPosition: string | undefined;
  readonly group: string | undefined;
}

/** Reads what the headers of a dead letter say. */
export function readDeadLetter({ message, position }: Pick<Delivery, 'message' | 'position'>): DeadLetter {
  const { headers } = message;
  return {
    message,
    position,
    reason: headers[names.reason] as DeadLetterReason | undefined,
    errorCode: headers[names.errorCode],
    error: headers[names.error],
    stack: headers[names.stack],
    attempts: numberOf(headers, names.attempts),
    firstFailed: numberOf(headers, names.firstFailed),
    lastFailed: numberOf(headers, names.lastFailed),
    originTopic: headers[names.originTopic],
    originPosition: headers[names.originPosition],
    group: headers[names.originGroup],
  };
}

/** Which dead letters are meant: those that fit all that is given. */
export interface DeadLetterFilter {
  readonly types?: readonly string[];
  readonly keys?: readonly string[];
  readonly ids?: readonly string[];
  readonly reasons?: readonly DeadLetterReason[];
  /** Codes of errors: `CODEC`, `TIMEOUT`, … */
  readonly errorCodes?: readonly string[];
  /** Failed last at this time or later. Epoch milliseconds. */
  readonly since?: number;
  /** Failed last before this time. Epoch milliseconds. */
  readonly until?: number;
  readonly where?: (letter: DeadLetter) => boolean;
}

const among = (list: readonly string[] | undefined, value: string | undefined): boolean =>
  list === undefined || (value !== undefined && list.includes(value));

/** Whether a letter fits the filter. */
export function fits(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { types, keys, ids, reasons, errorCodes, since, until, where } = filter;
  const { message, reason, errorCode, lastFailed } = letter;
  return (
    among(types, message.type) &&
    among(keys, message.key) &&
    among(ids, message.id) &&
    among(reasons, reason) &&
    among(errorCodes, errorCode) &&
    (since === undefined || (lastFailed !== undefined && lastFailed >= since)) &&
    (until === undefined || (lastFailed !== undefined && lastFailed < until)) &&
    (where === undefined || where(letter))
  );
}
