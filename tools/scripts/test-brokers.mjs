// `npm run test:brokers [-- NAME …]`: the suites that need real servers, one project after the other; each starts the servers it needs and
// fails where it cannot. Never cached. The budgets are seconds on two cores; what takes longer belongs to `npm run test:long`.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projects, root } from './projects.mjs';
import { runSuite } from './suite.mjs';

const budgets = {
  stack: 150,
  codecs: 130,
  'kafka-adapter': 520,
  'pulsar-adapter': 450,
  delivery: 380,
  cli: 110,
  'order-app': 420,
  'clickhouse-store': 40,
};
const help = `npm run test:brokers [-- NAME …]   NAME: ${Object.keys(budgets).join(', ')}`;

const names = process.argv.slice(2);
if (names.includes('--help') || names.includes('-h')) {
  console.log(help);
  process.exit(0);
}
const unknown = names.find((name) => !(name in budgets));
if (unknown !== undefined) {
  console.error(`test:brokers: unknown "${unknown}". ${help}`);
  process.exit(2);
}

const env = { ...process.env, FORCE_COLOR: process.env.FORCE_COLOR ?? '0', NO_COLOR: undefined };

const countsOf = (file, { code, output, leftOpen }) => {
  if (existsSync(file)) {
    const { passed, failed, skipped, again: twice = [] } = JSON.parse(readFileSync(file, 'utf8'));
    again.push(...twice);
    // A first try that failed may leave something open; named, like the try.
    const isFine = code === 0 || (leftOpen && twice.length > 0);
    return { passed, failed: isFine ? failed : Math.max(failed, 1), skipped };
  }
  const spec = Object.fromEntries([...output.matchAll(/^ℹ (\w+) (\d+)$/gm)].map(([, key, n]) => [key, Number(n)]));
  if (!('pass' in spec)) return { passed: 0, failed: 1, skipped: 0 };
  const failed = spec.fail + spec.cancelled;
  return { passed: spec.pass, failed: code === 0 ? failed : Math.max(failed, 1), skipped: spec.skipped + spec.todo };
};

/** Tests that passed at their second try (decision 18). */
const again = [];
const mostAgain = 2;
const sum = { passed: 0, failed: 0, skipped: 0 };
const lines = [];
const begin = performance.now();
for (const [name, budget] of Object.entries(budgets)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const project = projects.find(({ manifest }) => manifest.name === `@bento-bus/${name}`);
  if (project === undefined) throw new Error(`no project "${name}" in ${root}`);
  const file = join(project.path, 'tmp/broker-results.json');
  rmSync(file, { force: true });
  console.log(`\n=== ${name}`);
  const start = performance.now();
  // Twice its budget: one that hangs takes nobody's time.
  const result = await runSuite(project.path, env, 2_000 * budget);
  const counts = countsOf(file, result);
  const seconds = (performance.now() - start) / 1_000;
  // Nothing ran, or it ran for longer than it may: both are faults of the suite.
  if (counts.passed + counts.failed === 0) counts.failed = 1;
  for (const key of Object.keys(sum)) sum[key] += counts[key];
  const late = seconds > budget ? `, OVER its budget: move what is long to test:long` : '';
  const { passed, failed, skipped } = counts;
  lines.push(
    `${name.padEnd(18)} ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds.toFixed(0)} s of ${budget} s${late}`,
    ...result.stopped.map((line) => `  ${line}`),
  );
}
const minutes = (performance.now() - begin) / 60_000;
console.log(`\n${lines.join('\n')}\n${minutes.toFixed(1)} of 20 minutes`);
if (again.length > 0)
  console.log(
    `\nPassed at the second try, look into them (decision 18):\n${again.map((one) => `  ${one}`).join('\n')}`,
  );
if (again.length > mostAgain) sum.failed += 1;
// A slow or busy machine gets a quarter more; beyond that something has to move to test:long.
if (minutes > 25) sum.failed += 1;
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
