#!/usr/bin/env node
import { closeOnSignal, signalExitCode } from '@bento-bus/runtime';
import { exitCodes } from './errors.ts';
import { runBento } from './run.ts';

const controller = new AbortController();
const reader = { isGone: false };
// A reader that closes its end early (`| head -1`) is no fault, and needs no more.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream !== process.stdout) return;
    reader.isGone = true;
    controller.abort();
  });
}
const out = {
  write: (text: string): boolean => process.stdout.write(text),
  isTTY: process.stdout.isTTY,
  columns: process.stdout.columns,
  get writable(): boolean {
    return !reader.isGone && process.stdout.writable;
  },
};

/** What the user types before the arguments. */
const name = process.env['npm_lifecycle_event'] === 'bento' ? 'npm run bento --' : 'bento';
const finished = runBento(process.argv.slice(2), { name, out, signal: controller.signal });
const forgetSignals = closeOnSignal({
  close: async () => {
    controller.abort();
    await finished;
  },
  deadlineMs: 20_000,
  exitCode: signalExitCode,
  logger: { info: () => {}, error: (line) => void process.stderr.write(`${line}\n`) },
});
const exitCode = await finished;
// After a signal it ends the process, with the signal's code.
if (reader.isGone || exitCode !== exitCodes.interrupted) {
  forgetSignals();
  process.exitCode = exitCode;
  // What did not answer in time must not hold the program.
  setTimeout(() => process.exit(), 2_000).unref();
}
