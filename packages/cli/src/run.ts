import { isBentoError } from '@bento-bus/core';
import { createOutput, exitCodes, runCommandLine } from '@bento-bus/runtime/terminal';
import { type BentoIo, ioOf } from './io.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line to its end, tells what went wrong in one line on `err`, and resolves with the exit code: 0, 1 where it failed, 2
 * where the command line or the configuration cannot be used, 130 where `signal` ended it. Never rejects. `argv` begins with the command.
 */
export function runBento(argv: readonly string[], given: Partial<BentoIo> = {}): Promise<number> {
  const io = ioOf(given);
  const output = createOutput(io.out, io.err);
  const interrupted = (): number => {
    // Who reads no more has what they wanted.
    if (io.out.writable === false) return exitCodes.ok;
    output.notice('Interrupted. What was done stays done.');
    return exitCodes.interrupted;
  };
  const command = async (): Promise<number> => {
    const exitCode = await createProgram(io).run(argv);
    return io.signal.aborted ? interrupted() : exitCode;
  };
  return runCommandLine(command, {
    name: io.name,
    output,
    signal: io.signal,
    interrupted,
    prefix: 'bento: ',
    isUsage: (error) => isBentoError(error, 'CONFIGURATION'),
    debug: io.env['LOG_LEVEL'] === 'debug',
  });
}
