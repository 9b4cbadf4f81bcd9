#!/usr/bin/env node
import { runProgram } from '@bento-bus/runtime/terminal';
import { runBento } from './run.ts';

/** What the user types before the arguments. */
const name = process.env['npm_lifecycle_event'] === 'bento' ? 'npm run bento --' : 'bento';

await runProgram((terminal) => runBento(process.argv.slice(2), { name, ...terminal }), {
  deadlineMs: 20_000,
  quiet: true,
  // What did not answer in time must not hold the program.
  lingerMs: 2_000,
});
