// `npm test [-- nx options]`: the suites of all projects that need no server, then their counts.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projects, root } from './projects.mjs';

const tested = projects.filter(({ manifest }) => manifest.scripts?.test !== undefined);
const resultsOf = ({ path }) => join(path, 'tmp/test-results.json');
for (const project of tested) rmSync(resultsOf(project), { force: true });

const nx = join(root, 'node_modules/nx/bin/nx.js');
const args = [nx, 'run-many', '-t', 'test', '--outputStyle=static', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });

const sum = { passed: 0, failed: 0, skipped: 0 };
console.log();
for (const project of tested) {
  const file = resultsOf(project);
  const name = project.manifest.name.padEnd(28);
  if (!existsSync(file)) {
    // Nx was asked for some projects only, or the suite died before it could count.
    console.log(`${name} no result`);
    continue;
  }
  const counts = JSON.parse(readFileSync(file, 'utf8'));
  for (const key of Object.keys(sum)) sum[key] += counts[key];
  const none = counts.passed + counts.failed === 0 ? '  (no test ran)' : '';
  console.log(
    `${name} ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${counts.seconds} s${none}`,
  );
  if (none !== '') sum.failed += 1;
}
if (status !== 0 && sum.failed === 0) sum.failed = 1;
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
