// `npm run bench [-- --json] [--only NAME]... [--list]`: how fast the packages are, as ratios to what one would use without them.
import { fork, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { figures } from './figures/index.mjs';
import { measure } from './measure.mjs';

const help = `Measures the packages against their reference in the same run: samples of both in turn, medians. Builds first what is stale.

  npm run bench [-- --json] [--only NAME]... [--list]

  --only NAME  only figures whose name contains NAME; may be given several times
  --json       print nothing but an array of { name, ours, reference, ratio, unit, target, met }
  --list       the names, and what each compares

The unit is operations or events a second on both sides, so a ratio above 1 means that ours is faster. \`met\`: ratio >= target.
Figures of brokers start the servers that they need. Close other programs: each figure runs in a process of its own, but shares the machine.
Latency and memory of Pulsar: node tools/bench/figures/pulsar-latency.mjs`;

const usage = (text) => {
  console.error(`bench: ${text}. See --help`);
  process.exit(2);
};

function options() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        only: { type: 'string', multiple: true, default: [''] },
      },
    });
    return values;
  } catch (error) {
    return usage(error.message);
  }
}

/** The figures are of the compiled packages, as they are published. */
function build() {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const packages = [
    'clickhouse-store',
    'codecs',
    'core',
    'dispatcher',
    'dlq',
    'inprocess-bus',
    'kafka-adapter',
    'observability',
    'pulsar-adapter',
  ];
  const projects = packages.map((name) => join(import.meta.dirname, '../../packages', name, 'tsconfig.lib.json'));
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-b', ...projects], { encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${stdout}bench: the packages do not compile. Mend what the compiler names above.`);
  process.exit(1);
}

/** One figure in a fresh process: what the others did to the heap and the compiler's inline caches must not count. */
const inChild = (name) =>
  new Promise((settle, reject) => {
    const child = fork(import.meta.filename, ['--only', name], { env: { ...process.env, BENTO_BENCH_CHILD: '1' } });
    let result;
    child.on('message', (message) => {
      result = message;
    });
    child.on('exit', (code) => {
      if (code === 0 && result !== undefined) settle(result);
      else reject(new Error(`bench: figure "${name}" ended with ${code}`));
    });
  });

const round = (value, digits) => Number(value.toPrecision(digits));

/** A figure as it is reported. */
const report = ({ name, target: fixed, mostNs, eventsEach }, samples) => {
  const [ours, reference] = [samples.ours, samples.reference].map((rate) => rate * (eventsEach ?? 1));
  const ratio = round(ours / reference, 3);
  const target = fixed === undefined ? 1 / (1 + (mostNs * samples.reference) / 1e9) : fixed;
  const unit = eventsEach === undefined ? 'ops/s' : 'events/s';
  return {
    name,
    ours: round(ours, 4),
    reference: round(reference, 4),
    ratio,
    unit,
    target: round(target, 3),
    met: ratio >= target,
  };
};

const number = (value) => Math.round(value).toLocaleString('en');

function table(results) {
  const rows = results.map(({ name, ours, reference, ratio, unit, target, met }) => [
    name,
    number(ours),
    number(reference),
    unit,
    ratio.toFixed(2),
    target.toFixed(2),
    met ? 'yes' : 'NO',
  ]);
  const all = [['figure', 'ours', 'reference', 'unit', 'ratio', 'target', 'met'], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) =>
    row.map((cell, i) => (i === 0 || i === 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return all.map(line).join('\n');
}

if (process.env.BENTO_BENCH_CHILD === '1') {
  const figure = figures.find(({ name }) => name === process.argv.at(-1));
  const sides = await figure.open();
  let result;
  try {
    result = await measure(sides, figure.sampling);
  } finally {
    await sides.close?.();
  }
  // The engine's threads would keep the process alive.
  process.send(result, () => process.exit(0));
} else {
  const { help: helpAsked, json, list, only } = options();
  const chosen = figures.filter(({ name }) => only.some((part) => name.includes(part)));
  if (helpAsked) console.log(help);
  else if (chosen.length === 0)
    usage(`no figure is named "${only.join('", "')}"; known: ${figures.map(({ name }) => name).join(', ')}`);
  else if (list) console.log(chosen.map(({ name, what }) => `${name}\n    ${what}`).join('\n'));
  else {
    build();
    const results = [];
    for (const figure of chosen) {
      if (process.stderr.isTTY)
        process.stderr.write(`\r\x1b[K${results.length + 1} of ${chosen.length}: ${figure.name}`);
      try {
        results.push(report(figure, await inChild(figure.name)));
      } catch (error) {
        console.error(error.message);
        process.exitCode = 1;
      }
    }
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(json ? JSON.stringify(results, undefined, 2) : table(results));
  }
}
