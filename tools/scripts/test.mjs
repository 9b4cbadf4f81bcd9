// `npm test [-- nx options, e.g. -p core]`: the suites of all projects that need no server, then their counts.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nxBin, projects, root } from './projects.mjs';

const options = process.argv.slice(2);
const tested = projects.filter(({ manifest }) => manifest.scripts?.test !== undefined);
const resultsOf = ({ path }) => join(path, 'tmp/test-results.json');
for (const project of tested) rmSync(resultsOf(project), { force: true });

// Without the daemon Nx brings back the results of a cached run in any case; the daemon may not have seen yet that they are gone.
const colours = process.env.FORCE_COLOR ?? (process.stdout.isTTY && !process.env.NO_COLOR ? '1' : '0');
// Not both: node warns on standard error, which tests look at.
const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: colours, NO_COLOR: undefined };
const args = [nxBin(), 'run-many', '-t', 'test', '--outputStyle=static', ...options];
const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' });

const sum = { passed: 0, failed: 0, skipped: 0 };
console.log();
for (const project of tested) {
  const file = resultsOf(project);
  const name = project.manifest.name.padEnd(28);
  if (!existsSync(file)) {
    // Nx was asked for some projects only; else the suite died before it could count.
    if (options.length > 0) continue;
    sum.failed += 1;
    console.log(`${name} no result`);
    continue;
  }
  const counts = JSON.parse(readFileSync(file, 'utf8'));
  for (const key of Object.keys(sum)) sum[key] += counts[key];
  const none = counts.passed + counts.failed === 0;
  if (none) sum.failed += 1;
  const { passed, failed, skipped, seconds } = counts;
  console.log(
    `${name} ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s${none ? ' (no test ran)' : ''}`,
  );
}
if (status !== 0 && sum.failed === 0) sum.failed = 1;
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
