import { types } from 'node:util';

/** Conventional exit codes: of success, of a failure, of a command line or configuration that cannot be used, of Ctrl-C. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** The command line or the configuration is at fault, not the work. */
export class UsageError extends Error {}

/** What went wrong and what to do, in one line: the message of an error, its name where it has none, anything else as text. */
export function explain(error: unknown): string {
  const text = types.isNativeError(error) ? error.message || error.name : String(error);
  return text
    .split(/\s*\r?\n\s*/)
    .filter((line) => line !== '')
    .join(' ');
}
