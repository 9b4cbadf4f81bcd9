import { exitCodes, type Output, runCommandLine } from '@bento-bus/runtime/terminal';
import { createProgram } from './program.ts';
import { Session } from './session.ts';

/** Runs one command line to its end, tells what went wrong in one line, and resolves with the exit code. Never rejects. */
export const run = (argv: readonly string[], name: string, output: Output, signal: AbortSignal): Promise<number> =>
  runCommandLine(() => createProgram(name, new Session(output, signal)).run(argv), {
    name,
    output,
    signal,
    interrupted: () => {
      output.notice('Interrupted. What was committed stays; the next run goes on from there.');
      return exitCodes.failure;
    },
    debug: process.env['LOG_LEVEL'] === 'debug',
  });
