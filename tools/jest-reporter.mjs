// Leaves the counts of a suite in tmp/test-results.json, an Nx output (suites against servers: in the file named): tools/scripts/test.mjs
// adds them up, cached runs included.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Written when all tests have ended: a process that stays has left something open. */
export const testsAreOver = 'the end: all tests are over';

export default class CountsReporter {
  #rootDir;
  #file;

  constructor({ rootDir }, { file = 'tmp/test-results.json' } = {}) {
    this.#rootDir = rootDir;
    // Two runs of one suite at once have a file each.
    this.#file = process.env.COUNTS_FILE || file;
  }

  #told = [];
  #again = [];

  /** For who stops a suite that hangs (tools/scripts/suite.mjs). */
  #at(where) {
    if (process.env.SUITE_AT) writeFileSync(join(process.env.SUITE_AT, String(process.pid)), where);
  }

  onTestFileStart({ path }) {
    this.#at(`the beginning of ${relative(this.#rootDir, path)}`);
  }

  onTestCaseStart({ path }, { fullName }) {
    this.#at(`"${fullName}" in ${relative(this.#rootDir, path)}`);
  }

  /** Which passed at their second try; for the report of a long run also each test that ran, and how long. */
  onTestResult({ path }, { testResults }) {
    this.#at(`the end of ${relative(this.#rootDir, path)}`);
    for (const { fullName, status, invocations } of testResults)
      if (status === 'passed' && (invocations ?? 1) > 1) this.#again.push(fullName);
    if (process.env.LONG === undefined) return;
    for (const { fullName, status, duration } of testResults)
      if (status === 'passed' || status === 'failed')
        this.#told.push(`${status}, ${Math.round((duration ?? 0) / 1_000)} s: ${fullName}`);
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
      ...(this.#again.length > 0 && { again: this.#again }),
    };
    writeFileSync(file, `${JSON.stringify(counts)}\n`);
    this.#at(testsAreOver);
  }
}
