// `npm run test:long`: what `npm test` shows with small counts, with the full ones. Writes its report to docs/reports/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { appSuites } from './app.mjs';
import { brokerSuites } from './brokers.mjs';

const root = resolve(import.meta.dirname, '../..');
const help = `Long runs with full counts; about two hours on two cores.

  npm run test:long [-- --only NAME] [--seed N] [--kills N] [--invoices N] [--tests PATTERN] [--no-report] [--name REPORT]

  import   5,000 and --invoices (70,000) invoices of two lines: exact figures, resident memory, cost per order
  again    the same file a second time: no new event
  kills    SIGKILL at --kills (50) random moments of an import of 5,000 invoices, each followed by a further run: exact figures
  backends --invoices invoices on Kafka and on Pulsar: the same figures as embedded
  kafka, pulsar   the suites of test:brokers with KILLS=--kills: restarts, kills of consumers, relays and leaders, members that come and go;
           with --tests only those whose name matches
  delivery retries, parking and redrives on both, with KILLS=--kills; requests under load
  codecs   registries, messages of other clients, 200,000 fuzzed bodies a codec`;

const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 1e9)}` },
    kills: { type: 'string', default: process.env.KILLS ?? '50' },
    invoices: { type: 'string', default: '70000' },
    'no-report': { type: 'boolean' },
    name: { type: 'string', default: 'long' },
    tests: { type: 'string' },
  },
});
if (options.help) {
  console.log(help);
  process.exit(0);
}

const suites = { ...appSuites(options), ...brokerSuites(options) };

const chosen = options.only ?? Object.keys(suites);
const unknown = chosen.find((name) => !(name in suites));
if (unknown !== undefined) {
  console.error(`test:long: unknown "${unknown}"; known: ${Object.keys(suites).join(', ')}`);
  process.exit(2);
}
const begin = new Date();
const sections = [];
let failed = 0;
for (const name of chosen) {
  const start = performance.now();
  let lines;
  try {
    lines = await suites[name]();
  } catch (error) {
    failed += 1;
    lines = [`FAILED: ${error.message}`];
  }
  const took = ((performance.now() - start) / 1_000).toFixed(0);
  console.log(`${name} (${took} s)\n${lines.map((line) => `  ${line}`).join('\n')}`);
  sections.push(`## ${name} (${took} s)\n\n${lines.map((line) => `- ${line}`).join('\n')}\n`);
}
if (!options['no-report']) {
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.versions.node}`;
  const command = `npm run test:long -- --seed ${options.seed} --kills ${options.kills} --invoices ${options.invoices}${chosen.length < Object.keys(suites).length ? chosen.map((name) => ` --only ${name}`).join('') : ''}${options.tests === undefined ? '' : ` --tests "${options.tests}"`}`;
  const day = begin.toISOString().slice(0, 10);
  const report = `# Long run of ${day}\n\n\`${command}\`\n\n- begun ${begin.toISOString()}, seed ${options.seed}\n- ${machine}\n\n${sections.join('\n')}`;
  mkdirSync(join(root, 'docs/reports'), { recursive: true });
  writeFileSync(join(root, 'docs/reports', `${day}-${options.name}.md`), report);
  console.log(`report: docs/reports/${day}-${options.name}.md`);
}
console.log(`${chosen.length - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 ? 0 : 1;
