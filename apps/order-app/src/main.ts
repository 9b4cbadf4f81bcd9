import { closeOnSignal, signalExitCode } from '@bento-bus/runtime';
import { standardOutput } from './cli/output.ts';
import { run } from './cli/run.ts';

/** What the user types before the arguments. */
const name = process.env['npm_lifecycle_event'] === 'start' ? 'npm start --' : 'order-app';

const output = standardOutput();
const controller = new AbortController();
const finished = run(process.argv.slice(2), name, output, controller.signal);
const forgetSignals = closeOnSignal({
  close: async () => {
    controller.abort();
    await finished;
  },
  deadlineMs: 60_000,
  exitCode: signalExitCode,
  logger: { info: output.notice, error: output.notice },
});
const exitCode = await finished;
// After a signal it ends the process, with the signal's code.
if (!controller.signal.aborted) {
  forgetSignals();
  process.exitCode = exitCode;
}
