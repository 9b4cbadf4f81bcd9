// All checks and tests, each a step; a failing step does not stop the others. `.ci/run` calls it on a clean clone after `npm ci`.
import { spawnSync } from 'node:child_process';
import { root } from './projects.mjs';

const run = (command) => ['bash', ['-c', command]];
/** `counts`: the step ends with `N passed, N failed, N skipped`; `tap`: it is node's test runner. The others count as one check each. */
const steps = [
  { name: 'lockfile', command: run('node tools/scripts/complete-lockfile.mjs --check') },
  { name: 'build', command: run('npx nx run-many -t build --outputStyle=static') },
  { name: 'types', command: run('npx nx run-many -t typecheck --outputStyle=static') },
  { name: 'lint and format of the packages', command: run('npx nx run-many -t lint --outputStyle=static') },
  { name: 'lint of the repository: format, sherif, knip, boundaries', command: run('npm run --silent lint:repo') },
  { name: 'API reports', command: run('npx nx run-many -t api --outputStyle=static') },
  { name: 'publint and attw', command: run('npx nx run-many -t pkg --outputStyle=static') },
  {
    name: 'README examples',
    command: run('npx nx run-many -t example --outputStyle=static && node tools/scripts/run-readme.mjs .'),
  },
  {
    name: 'workspace: packed consumers, affected',
    command: run('node --test --test-reporter=tap tools/checks/*.test.mjs'),
    tap: true,
  },
  { name: 'tests', command: run('node tools/scripts/test.mjs'), counts: true },
];

const sum = { passed: 0, failed: 0, skipped: 0 };
const lines = [];
const add = (passed, failed, skipped) => {
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
};
for (const { name, command, counts, tap } of steps) {
  console.log(`\n=== ${name}`);
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(...command, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.stdout.write(`${stdout}${stderr}`);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  const found = counts ? /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(stdout) : undefined;
  const tapped = (key) => Number(new RegExp(`^# ${key} (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0);
  if (found) add(...found.slice(1).map(Number));
  else if (tap) add(tapped('pass'), Math.max(tapped('fail'), status === 0 ? 0 : 1), tapped('skipped') + tapped('todo'));
  else add(status === 0 ? 1 : 0, status === 0 ? 0 : 1, 0);
  // A step that fails without counting a failure must not pass.
  if (found && status !== 0 && found[2] === '0') add(0, 1, 0);
  lines.push(`${status === 0 ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)} s  ${name}`);
}
console.log(`\n${lines.join('\n')}\n\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
