// All checks and tests, each a step; a failing step does not stop the others. `npm run check`; `.ci/run` adds --install, for a clean clone.
// The last line is `N passed, N failed, N skipped`: the tests of every suite, and each step that is one check.
import { spawn } from 'node:child_process';
import { root } from './projects.mjs';

const nx = (target) => `npx nx run-many -t ${target} --outputStyle=static`;
const steps = [
  { name: 'lockfile', command: 'node tools/scripts/complete-lockfile.mjs --check' },
  { name: 'build', command: nx('build') },
  { name: 'types', command: nx('typecheck') },
  {
    name: 'lint', // It takes any FORCE_COLOR for a wish for colours.
    command: 'env -u FORCE_COLOR NO_COLOR=1 npx oxlint --deny-warnings',
  },
  { name: 'format and declared imports', command: 'npx biome check --error-on-warnings .' },
  { name: 'manifests agree (sherif)', command: 'npx sherif --fail-on-warnings' },
  { name: 'dead code (knip)', command: 'npx knip --no-progress --no-config-hints' },
  { name: 'boundaries', command: 'node tools/scripts/check-boundaries.mjs' },
  { name: 'docker/compose.yaml', command: 'node tools/scripts/check-compose.mjs' },
  { name: 'API reports', command: nx('api') },
  { name: 'packages (publint, attw)', command: nx('pkg') },
  { name: 'README examples', command: nx('example') },
  { name: 'workspace', command: 'node --test --test-reporter=spec tools/checks/*.test.mjs' },
  { name: 'tests', command: 'node tools/scripts/test.mjs' },
  // It limits its suites itself.
  { name: 'broker suites', command: 'node tools/scripts/test-brokers.mjs', limitMs: 30 * 60_000 },
];

/** Longer than any step needs; one that hangs must not take the time of the rest. */
const limitMs = 15 * 60_000;
const env = {
  ...process.env,
  CI: 'true',
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
  // Not both: node warns on standard error, which tests look at.
  FORCE_COLOR: '0',
  NO_COLOR: undefined,
};

/** Runs a command line with its output passed on as it comes; resolves with whether it succeeded, and that output. */
const run = (command, ownLimitMs = limitMs) =>
  new Promise((settle) => {
    // A process group of its own, so that the limit ends the whole of it.
    const child = spawn('bash', ['-c', command], { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      from.setEncoding('utf8').on('data', (text) => {
        output += text;
        to.write(text);
      });
    }
    const timer = setTimeout(() => {
      console.error(`stopped: took longer than ${ownLimitMs / 60_000} minutes`);
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, ownLimitMs);
    child.on('error', (error) => console.error(error.message));
    child.on('close', (code) => {
      clearTimeout(timer);
      settle({ ok: code === 0, output });
    });
  });

/** Counts of a step: the closing line of our own runner, the summary of node:test, or one check. */
const countsOf = ({ ok, output }) => {
  const own = /^(\d+) passed, (\d+) failed, (\d+) skipped\s*$/m.exec(output.slice(-2_000));
  const spec = Object.fromEntries([...output.matchAll(/^ℹ (\w+) (\d+)$/gm)].map(([, key, n]) => [key, Number(n)]));
  let counts = { passed: ok ? 1 : 0, failed: 0, skipped: 0 };
  if (own) counts = { passed: Number(own[1]), failed: Number(own[2]), skipped: Number(own[3]) };
  else if ('pass' in spec) {
    counts = { passed: spec.pass, failed: spec.fail + spec.cancelled, skipped: spec.skipped + spec.todo };
  }
  // A step that fails without counting a failure must not pass.
  return ok ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
};

const sum = { passed: 0, failed: 0, skipped: 0 };
const lines = [];
const step = async (name, work) => {
  const grouped = process.env.GITHUB_ACTIONS === 'true';
  console.log(grouped ? `::group::${name}` : `\n=== ${name}`);
  const start = performance.now();
  const result = await work();
  const counts = countsOf(result);
  if (grouped) console.log('::endgroup::');
  for (const key of Object.keys(sum)) sum[key] += counts[key];
  const seconds = ((performance.now() - start) / 1_000).toFixed(1).padStart(6);
  const several = counts.passed + counts.failed + counts.skipped > 1;
  const detail = several ? `: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped` : '';
  lines.push(`${counts.failed === 0 ? 'ok    ' : 'FAILED'} ${seconds} s  ${name}${detail}`);
  return counts.failed === 0;
};

const network = /ECONNRESET|ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ERR_SOCKET_TIMEOUT|EINTEGRITY|\bE(429|5\d\d)\b/;
/** The servers of the broker suites run on Java, and Maven brings them; the order app's page is looked at in Chromium. Nothing where all are. */
const machine =
  '{ command -v java && command -v mvn && test -x "${CHROMIUM_PATH:-/usr/bin/chromium}"; } >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy default-jre-headless maven chromium; }';
const install = async () => {
  const command = `{ ${machine}; } && npm ci --no-audit --no-fund`;
  const first = await run(command);
  return first.ok || !network.test(first.output) ? first : run(command);
};

if (!process.argv.includes('--install') || (await step('install', install))) {
  for (const { name, command, limitMs: own } of steps) await step(name, () => run(command, own));
} else lines.push('nothing else ran: without its dependencies the workspace cannot be checked');
console.log(`\n${lines.join('\n')}\n\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
