// Leaves the counts of a suite in tmp/test-results.json, an Nx output: tools/scripts/test.mjs adds them up, cached runs included.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default class CountsReporter {
  #rootDir;

  constructor({ rootDir }) {
    this.#rootDir = rootDir;
  }

  onRunComplete(_, results) {
    const folder = join(this.#rootDir, 'tmp');
    mkdirSync(folder, { recursive: true });
    const counts = {
      passed: results.numPassedTests,
      // A suite that did not run at all is one failure.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
      seconds: Math.round((Date.now() - results.startTime) / 100) / 10,
    };
    writeFileSync(join(folder, 'test-results.json'), `${JSON.stringify(counts)}\n`);
  }
}
