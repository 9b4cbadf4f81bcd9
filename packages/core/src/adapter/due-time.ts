import { configurationError } from '../configuration.ts';
import { headerNames } from '../headers.ts';
import type { Message } from '../message.ts';

/**
 * When a message may be delivered at the earliest, epoch milliseconds in its header `ce_deliverat`; undefined: at once. Throws a
 * `CONFIGURATION` error for a header that is no time; `adapter` is the package's name, for its text.
 */
export function dueTimeOf(adapter: string, topic: string, message: Message): number | undefined {
  const header = message.headers[headerNames.deliverAt];
  if (header === undefined) return undefined;
  const due = Math.ceil(Number(header));
  if (header.trim() !== '' && Number.isSafeInteger(due)) return due;
  throw configurationError(`${adapter}: cannot publish message "${message.id}" to "${topic}"`, [
    `its header ${headerNames.deliverAt} must be a time in epoch milliseconds, not "${header}"`,
  ]);
}
