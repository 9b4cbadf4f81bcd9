// The dashboards and alerts without Grafana and Prometheus: files that are up to date, expressions that parse, and, given what a service
// exports, metrics and labels that exist. `node tools/scripts/check-dashboards.mjs [URL of /metrics]`: exit code 1 and a line for each fault.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { print } from './dashboards/panels.mjs';
import { metricsIn, promqlFaults } from './dashboards/promql.mjs';
import { dashboardFolder, dashboards } from './dashboards.mjs';
import { root } from './projects.mjs';

export const rulesFile = join(root, 'docker/prometheus/rules.yml');
const runbook = join(root, 'docs/operations.md');

/** Files that are not what the generator makes. */
export function staleFaults(folder = dashboardFolder) {
  const there = existsSync(folder) ? readdirSync(folder) : [];
  const faults = there.filter((name) => !(name in dashboards)).map((name) => `${name}: no dashboard makes it`);
  for (const [name, dashboard] of Object.entries(dashboards))
    if (!there.includes(name) || readFileSync(join(folder, name), 'utf8') !== `${print(dashboard)}\n`)
      faults.push(`${name}: is not up to date. Run node tools/scripts/dashboards.mjs`);
  return faults;
}

const named = (text, pattern) => [...(text ?? '').matchAll(pattern)].map(([, name]) => name);

/** Every fault of one dashboard; `known` as in `promqlFaults`. */
export function dashboardFaults(name, { panels, templating }, known) {
  const faults = [];
  const taken = [];
  for (const { title, gridPos, targets } of panels) {
    for (const { expr, legendFormat } of targets)
      for (const fault of promqlFaults(expr, known, named(legendFormat, /\{\{(\w+)\}\}/g)))
        faults.push(`${name}: panel "${title}": ${fault}`);
    for (const other of taken)
      if (overlap(gridPos, other.gridPos)) faults.push(`${name}: panel "${title}" lies over "${other.title}"`);
    taken.push({ title, gridPos });
  }
  const variables = new Set(templating.list.map((one) => one.name));
  for (const { name: variable, query } of templating.list) {
    const [, metric, label] = /^label_values\((.+), (\w+)\)$/.exec(query.query) ?? ['', '', ''];
    if (metric === '') faults.push(`${name}: variable "${variable}": ${query.query} is no label_values(metric, label)`);
    else
      for (const fault of promqlFaults(metric, known, [label]))
        faults.push(`${name}: variable "${variable}": ${fault}`);
  }
  const used = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => named(expr, /\$(\w+)/g)));
  for (const variable of new Set(used))
    if (!variable.startsWith('__') && !variables.has(variable))
      faults.push(`${name}: there is no variable "${variable}"`);
  return faults;
}

const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Every fault of the alerts: `text` of a rules file; `known` as in `promqlFaults`. */
export function ruleFaults(text, known) {
  const parts = named(readFileSync(runbook, 'utf8'), /^## (.+)$/gm);
  const anchors = new Set(parts.map((title) => title.toLowerCase().replaceAll(' ', '-')));
  const faults = [];
  const seen = new Set();
  for (const { alert, expr, for: since, labels, annotations } of parse(text).groups.flatMap(({ rules }) => rules)) {
    const say = (fault) => faults.push(`rules.yml: ${alert}: ${fault}`);
    if (seen.has(alert)) say('there are two of it');
    seen.add(alert);
    const { summary, description, runbook_url: url = '' } = annotations ?? {};
    const told = named(`${summary} ${description}`, /\$labels\.(\w+)/g);
    for (const fault of promqlFaults(expr, known, told)) say(fault);
    if (!/^\d+[smh]$/.test(since ?? '')) say('it does not say for how long');
    if (!['warning', 'critical'].includes(labels?.severity)) say('its severity is not warning or critical');
    if (!summary || !description) say('it does not say what is the matter');
    if (!anchors.has(url.split('#')[1])) say(`docs/operations.md has no part "${url.split('#')[1] ?? ''}"`);
  }
  return faults;
}

/** Every fault of all that is checked in. `metrics`: the text that a service exports; without it names are not looked at. */
export function allFaults(metrics) {
  const known = metrics === undefined ? undefined : metricsIn(metrics);
  return [
    ...staleFaults(),
    ...Object.entries(dashboards).flatMap(([name, one]) => dashboardFaults(name, one, known)),
    ...ruleFaults(readFileSync(rulesFile, 'utf8'), known),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const url = process.argv.at(2);
  const metrics = url === undefined ? undefined : await (await fetch(url)).text();
  const faults = allFaults(metrics);
  for (const fault of faults) console.error(fault);
  if (faults.length === 0) console.log(`dashboards and alerts: ${url === undefined ? 'valid' : `valid for ${url}`}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
