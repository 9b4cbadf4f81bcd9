import { isBentoError } from '@bento-bus/core';
import { CommanderError } from 'commander';
import { exitCodeOf, exitCodes, explain, UsageError } from './errors.ts';
import type { Output } from './output.ts';
import { createProgram } from './program.ts';
import { Session } from './session.ts';

/** Runs one command line to its end, tells what went wrong in one line, and resolves with the exit code. Never rejects. */
export async function run(argv: readonly string[], name: string, output: Output, signal: AbortSignal): Promise<number> {
  try {
    return await createProgram(name, new Session(output, signal)).run(argv);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    // What a signal cut short is no fault.
    if (signal.aborted && isBentoError(error, 'ABORTED')) {
      output.notice('Interrupted. What was committed stays; the next run goes on from there.');
      return exitCodes.failure;
    }
    const reported =
      error instanceof CommanderError
        ? new UsageError(`${error.message.replace(/^error: |\.$/g, '')}. See: ${name} --help`, { cause: error })
        : error;
    output.notice(explain(reported));
    if (process.env['LOG_LEVEL'] === 'debug' && error instanceof Error) output.notice(error.stack ?? '');
    return exitCodeOf(reported);
  }
}
