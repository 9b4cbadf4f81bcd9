// `npm run test:brokers [-- PATTERN …]`: the suites that need brokers, on kafkajs and then on @platformatic/kafka, which gets the Node.js
// that it is meant for. `KAFKA_DRIVER=kafkajs` or `platformatic`: on that one only. Counts of both: tmp/broker-results.json.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { node24 } from '../../../tools/scripts/node24.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const jest = fileURLToPath(new URL('../../../node_modules/jest/bin/jest.js', import.meta.url));
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, '--passWithNoTests'];
const results = `${folder}tmp/broker-results.json`;
const drivers = {
  kafkajs: { node: () => process.execPath, config: import.meta.resolve('../jest.int.config.mjs') },
  platformatic: { node: node24, config: import.meta.resolve('../jest.platformatic.config.mjs') },
};

const only = process.env.KAFKA_DRIVER;
if (only && !(only in drivers))
  throw new Error(`KAFKA_DRIVER must be ${Object.keys(drivers).join(' or ')}, not "${only}"`);

const sum = { passed: 0, failed: 0, skipped: 0, seconds: 0, told: [] };
let failure = 0;
for (const [name, { node, config }] of Object.entries(drivers)) {
  if (only && only !== name) continue;
  const path = await node();
  rmSync(results, { force: true });
  const code = await new Promise((settle) => {
    // The second driver's kills are for the long run.
    const kills = process.env.KILLS ?? (name === 'platformatic' ? '1' : undefined);
    const env = { ...process.env, KAFKA_DRIVER: name, KILLS: kills };
    const child = spawn(path, [...flags, '-c', fileURLToPath(config), ...process.argv.slice(2)], {
      cwd: folder,
      env,
      stdio: 'inherit',
    });
    child.on('close', (exit) => settle(exit ?? 1));
  });
  failure ||= code;
  const counts = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : { failed: 1 };
  if (code !== 0) counts.failed = Math.max(1, counts.failed);
  for (const key of ['passed', 'failed', 'skipped', 'seconds']) sum[key] += counts[key] ?? 0;
  sum.told.push(...(counts.told ?? []).map((line) => `${name}: ${line}`));
}
sum.seconds = Math.round(sum.seconds * 10) / 10;
if (sum.told.length === 0) delete sum.told;
writeFileSync(results, `${JSON.stringify(sum)}\n`);
if (sum.passed + sum.failed + sum.skipped === 0) console.error('no tests found');
process.exitCode = failure || (sum.passed + sum.failed + sum.skipped === 0 ? 1 : 0);
