import { types } from 'node:util';
import { isBentoError } from '@bento-bus/core';
import { exitCodes, explain, UsageError } from './errors.ts';
import type { Output } from './output.ts';

/** Options of {@link runCommandLine}. */
export interface CommandLineOptions {
  /** How the program is called, in the advice to read its help. */
  readonly name: string;
  /** What went wrong is told there. */
  readonly output: Pick<Output, 'notice'>;
  /** Aborts where the command is to end early. */
  readonly signal: AbortSignal;
  /** The command ended early: tells so and gives the exit code. */
  readonly interrupted: () => number;
  /** Stands before what commander says of the command line. @default '' */
  readonly prefix?: string;
  /** What is the configuration's fault, beside a {@link UsageError}. @default nothing */
  readonly isUsage?: (error: unknown) => boolean;
  /** Shows the stack, too. @default false */
  readonly debug?: boolean;
}

/**
 * Runs one command line to its end, and resolves with the exit code that it gives. What it rejects with is told in one line: {@link exitCodes}
 * `usage` for a {@link UsageError} and what commander (with `exitOverride`) refuses, `ok` for what commander was asked to show, else
 * `failure`. Never rejects.
 */
export async function runCommandLine(command: () => Promise<number>, options: CommandLineOptions): Promise<number> {
  const { name, output, signal, interrupted, prefix = '', isUsage = () => false, debug = false } = options;
  try {
    return await command();
  } catch (error) {
    const isParsers = isCommanderError(error);
    if (isParsers && error.exitCode === 0) return exitCodes.ok;
    // A group of commands by itself: what there is has been shown.
    if (isParsers && error.code === 'commander.help') return exitCodes.usage;
    if (signal.aborted && isEnded(error)) return interrupted();
    const reported = isParsers
      ? new UsageError(`${prefix}${error.message.replace(/^error: |\.$/g, '')}. See: ${name} --help`, { cause: error })
      : error;
    output.notice(explain(reported));
    if (debug && types.isNativeError(error)) output.notice(error.stack ?? '');
    return reported instanceof UsageError || isUsage(reported) ? exitCodes.usage : exitCodes.failure;
  }
}

/** By its looks: programs bring commander of their own version, others need none. */
const isCommanderError = (error: unknown): error is Error & { readonly code: string; readonly exitCode: number } =>
  types.isNativeError(error) &&
  'exitCode' in error &&
  'code' in error &&
  typeof error.code === 'string' &&
  error.code.startsWith('commander.');

/** What a signal cut short is no fault. The platform's own reason is a DOMException, no native error. */
const isEnded = (error: unknown): boolean =>
  isBentoError(error, 'ABORTED') ||
  (typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError');
