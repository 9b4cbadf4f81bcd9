import { isBentoError } from '@bento-bus/core';
import { CommanderError } from 'commander';
import { DeclinedError, exitCodeOf, exitCodes, explain, UsageError } from './errors.ts';
import { type BentoIo, ioOf } from './io.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line to its end, tells what went wrong in one line on `err`, and resolves with the exit code: 0, 1 where it failed, 2
 * where the command line or the configuration cannot be used, 130 where `signal` ended it. Never rejects. `argv` begins with the command.
 */
export async function runBento(argv: readonly string[], given: Partial<BentoIo> = {}): Promise<number> {
  const io = ioOf(given);
  const notice = (line: string): void => {
    if (io.err.writable !== false) io.err.write(`${line}\n`);
  };
  const interrupted = (): number => {
    // Who reads no more has what they wanted.
    if (io.out.writable === false) return exitCodes.ok;
    notice('Interrupted. What was done stays done.');
    return exitCodes.interrupted;
  };
  try {
    const exitCode = await createProgram(io).run(argv);
    return io.signal.aborted ? interrupted() : exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    // `bento topics`: what there is has been shown.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage;
    if (io.signal.aborted && isEnded(error)) return interrupted();
    const reported =
      error instanceof CommanderError
        ? new UsageError(`bento: ${error.message.replace(/^error: |\.$/g, '')}. See: ${io.name} --help`, {
            cause: error,
          })
        : error;
    notice(explain(reported));
    if (io.env['LOG_LEVEL'] === 'debug' && error instanceof Error) notice(error.stack ?? '');
    return error instanceof DeclinedError ? exitCodes.failure : exitCodeOf(reported);
  }
}

/** What a signal cut short is no fault. */
const isEnded = (error: unknown): boolean =>
  isBentoError(error, 'ABORTED') || (error instanceof Error && error.name === 'AbortError');
