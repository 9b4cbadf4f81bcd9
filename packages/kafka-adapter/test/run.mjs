// `npm run test:brokers [-- PATTERN …]`: the suites that need brokers, on kafkajs and on @platformatic/kafka, which gets the Node.js
// that it is meant for. `KAFKA_DRIVER=kafkajs` or `platformatic`: on that one only. Counts of both: tmp/broker-results.json.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { node24 } from '../../../tools/scripts/node24.mjs';

const folder = fileURLToPath(new URL('..', import.meta.url));
const jest = fileURLToPath(new URL('../../../node_modules/jest/bin/jest.js', import.meta.url));
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, '--passWithNoTests'];
const total = `${folder}tmp/broker-results.json`;
/** Resolved, so that knip sees who uses it. */
const at = (config) => fileURLToPath(import.meta.resolve(config));
const drivers = {
  kafkajs: { node: () => process.execPath, config: at('../jest.int.config.mjs') },
  platformatic: { node: node24, config: at('../jest.platformatic.config.mjs') },
};

const only = process.env.KAFKA_DRIVER;
if (only && !(only in drivers))
  throw new Error(`KAFKA_DRIVER must be ${Object.keys(drivers).join(' or ')}, not "${only}"`);

/** Resolves with the counts of a driver's suites, or of some (`more`). What a lane beside the first one says comes at the end. */
async function run(name, { node, config }, isFirst, { part = name, more = [] } = {}) {
  const path = await node();
  const file = `tmp/broker-results-${part}.json`;
  rmSync(`${folder}${file}`, { force: true });
  // The second driver's kills are for the long run.
  const kills = process.env.KILLS ?? (name === 'platformatic' ? '1' : undefined);
  const env = { ...process.env, KAFKA_DRIVER: name, KILLS: kills, COUNTS_FILE: file };
  const child = spawn(path, [...flags, '-c', config, ...more, ...process.argv.slice(2)], {
    cwd: folder,
    env,
    stdio: isFirst ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(chunk));
  const code = await new Promise((settle) => {
    child.on('close', (exit) => settle(exit ?? 1));
  });
  const counts = existsSync(`${folder}${file}`) ? JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) : { failed: 1 };
  if (code !== 0) counts.failed = Math.max(1, counts.failed);
  return { name, code, counts, said: Buffer.concat(said).toString() };
}

const chosen = Object.entries(drivers).filter(([name]) => !only || only === name);
const results = [];
if (process.env.LONG) for (const [name, driver] of chosen) results.push(await run(name, driver, true));
else if (process.argv.length > 2 || only)
  results.push(...(await Promise.all(chosen.map(([name, driver], index) => run(name, driver, index === 0)))));
else {
  // They mostly wait for brokers: two lanes of about the same length.
  const { kafkajs, platformatic } = drivers;
  const cluster = 'cluster\\.int';
  const lanes = [
    run('kafkajs', kafkajs, true, {
      more: ['--testPathIgnorePatterns', '/node_modules/', '/test/platformatic/', cluster],
    }),
    run('platformatic', platformatic, false).then(async (first) => [
      first,
      await run('kafkajs', kafkajs, false, { part: 'kafkajs-cluster', more: [cluster] }),
    ]),
  ];
  results.push(...(await Promise.all(lanes)).flat());
}

const sum = { passed: 0, failed: 0, skipped: 0, seconds: 0, told: [], again: [] };
for (const { name, counts, said } of results) {
  if (said !== '') console.log(said);
  for (const key of ['passed', 'failed', 'skipped', 'seconds']) sum[key] += counts[key] ?? 0;
  sum.again.push(...(counts.again ?? []).map((line) => `${name}: ${line}`));
  sum.told.push(...(counts.told ?? []).map((line) => `${name}: ${line}`));
}
sum.seconds = Math.round(sum.seconds * 10) / 10;
if (sum.told.length === 0) delete sum.told;
if (sum.again.length === 0) delete sum.again;
writeFileSync(total, `${JSON.stringify(sum)}\n`);
const count = sum.passed + sum.failed + sum.skipped;
if (count === 0) console.error('no tests found');
process.exitCode = results.find(({ code }) => code !== 0)?.code ?? (count === 0 ? 1 : 0);
