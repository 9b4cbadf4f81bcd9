// Leaves the counts of a suite in tmp/test-results.json, an Nx output (suites against servers: in the file named): tools/scripts/test.mjs
// adds them up, cached runs included.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export default class CountsReporter {
  #rootDir;
  #file;

  constructor({ rootDir }, { file = 'tmp/test-results.json' } = {}) {
    this.#rootDir = rootDir;
    this.#file = file;
  }

  #told = [];

  /** What tests say for the report of a long run: lines of `console.info` that begin with `report: `. */
  onTestResult(_, { console: said }) {
    for (const { message } of said ?? []) if (message.startsWith('report: ')) this.#told.push(message.slice(8));
  }

  onRunComplete(_, results) {
    const file = join(this.#rootDir, this.#file);
    mkdirSync(dirname(file), { recursive: true });
    const counts = {
      passed: results.numPassedTests,
      // A suite that did not run at all is one failure.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
      seconds: Math.round((Date.now() - results.startTime) / 100) / 10,
      ...(this.#told.length > 0 && { told: this.#told }),
    };
    writeFileSync(file, `${JSON.stringify(counts)}\n`);
  }
}
