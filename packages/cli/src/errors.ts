import { types } from 'node:util';
import { isBentoError } from '@bento-bus/core';

/** Conventional exit codes: of success, of a failure, of a command line or configuration that cannot be used, of Ctrl-C. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** The command line or the configuration is at fault, not the work. */
export class UsageError extends Error {}

/** The user said no. */
export class DeclinedError extends Error {}

/** What went wrong and what to do, in one line. */
export function explain(error: unknown): string {
  const text = types.isNativeError(error) ? error.message || error.name : String(error);
  return text
    .split(/\s*\r?\n\s*/)
    .filter((line) => line !== '')
    .join(' ');
}

export const exitCodeOf = (error: unknown): number =>
  error instanceof UsageError || isBentoError(error, 'CONFIGURATION') ? exitCodes.usage : exitCodes.failure;
