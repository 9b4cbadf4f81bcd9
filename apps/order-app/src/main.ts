import { createOutput, runProgram } from '@bento-bus/runtime/terminal';
import { run } from './cli/run.ts';

/** What the user types before the arguments. */
const name = process.env['npm_lifecycle_event'] === 'start' ? 'npm start --' : 'order-app';

await runProgram(({ out, err, signal }) => run(process.argv.slice(2), name, createOutput(out, err), signal), {
  deadlineMs: 60_000,
  // A collector of traces that does not answer must not hold the program, however long the user lets an export take.
  lingerMs: 1_000,
});
