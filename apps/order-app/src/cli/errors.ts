import { types } from 'node:util';

/** Conventional exit codes: of success, of a failure, of a command line or configuration that cannot be used. */
export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const;

/** The command line or the configuration is at fault, not the work. */
export class UsageError extends Error {}

/** What went wrong and what to do, in one line. */
export function explain(error: unknown): string {
  const text = types.isNativeError(error) ? error.message : String(error);
  return text
    .split(/\s*\r?\n\s*/)
    .filter((line) => line !== '')
    .join(' ');
}

export const exitCodeOf = (error: unknown): number =>
  error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
