import { closeOnSignal, signalExitCode } from '../shutdown.ts';
import { exitCodes, explain } from './errors.ts';
import { createOutput, type TextOutput } from './output.ts';

/** What a program of the process works with. */
export interface Terminal {
  /** Standard output. */
  readonly out: TextOutput;
  /** Standard error. */
  readonly err: TextOutput;
  /** Aborts on SIGINT and SIGTERM, and once nobody reads standard output any more: end early, in good order. */
  readonly signal: AbortSignal;
}

/** Options of {@link runProgram}. */
export interface ProgramOptions {
  /** Longest wait after a signal; then the process exits with 1. Milliseconds. */
  readonly deadlineMs: number;
  /** Does not say that a signal has come. @default false */
  readonly quiet?: boolean;
  /** After the end, what still runs holds the process no longer than this. Milliseconds. @default as long as it runs */
  readonly lingerMs?: number;
}

/**
 * Makes `program` the process's own: its exit code is what `program` resolves with, after a signal the signal's (130 for SIGINT). A second
 * signal ends the process at once. A reader that closes its end early (`| head -1`) is no fault; a result that cannot be written (a full disk) is told,
 * and makes the code 1. Once a process; `program` must not reject.
 */
export async function runProgram(
  program: (terminal: Terminal) => Promise<number>,
  options: ProgramOptions,
): Promise<void> {
  const { stdout, stderr } = process;
  const unread = new AbortController();
  const signalled = new AbortController();
  const out: TextOutput = {
    write: (text) => stdout.write(text),
    isTTY: stdout.isTTY,
    get columns() {
      return stdout.columns;
    },
    // Node opens it again after an error.
    get writable() {
      return !unread.signal.aborted && stdout.writable;
    },
  };
  const { notice } = createOutput(out, stderr);
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (unread.signal.aborted) return;
    unread.abort();
    if (error.code === 'EPIPE') return;
    process.exitCode = exitCodes.failure;
    notice(`Cannot write the result: ${explain(error)}`);
  });
  // There is nobody left to tell.
  stderr.on('error', () => {});
  let finished: Promise<number> | undefined;
  // Before the program writes a word: who reads it may answer by a signal.
  const forgetSignals = closeOnSignal({
    close: async () => {
      signalled.abort();
      await finished;
    },
    deadlineMs: options.deadlineMs,
    exitCode: signalExitCode,
    logger: { info: options.quiet === true ? () => {} : notice, error: notice },
  });
  finished = program({ out, err: stderr, signal: AbortSignal.any([signalled.signal, unread.signal]) });
  const exitCode = await finished;
  forgetSignals();
  // It is set where the result was cut off.
  process.exitCode ??= exitCode;
  if (options.lingerMs !== undefined) setTimeout(() => process.exit(), options.lingerMs).unref();
}
