// That dashboards and alerts are what the generator makes, parse, and name what the order app exports; and that the check finds each
// fault that somebody may put in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { allFaults, dashboardFaults, ruleFaults, rulesFile, staleFaults } from '../scripts/check-dashboards.mjs';
import { metricsIn } from '../scripts/dashboards/promql.mjs';
import { dashboardFolder, dashboards } from '../scripts/dashboards.mjs';
import { root } from '../scripts/projects.mjs';

const folder = mkdtempSync(join(tmpdir(), 'bento-dashboards-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The order app, served in process by a notifier that fails, from its sources. */
async function startApp() {
  const loader = join(root, 'tools/source-loader.mjs');
  const main = join(root, 'apps/order-app/src/main.ts');
  const options = ['--conditions=@bento-bus/source', '--import', loader];
  const args = [...options, main, 'serve', '--host', '127.0.0.1', '--port', '0', '--data', join(folder, 'data')];
  const own = {
    MESSAGE_BUS_TYPE: 'inprocess',
    NOTIFIER: 'failing',
    CLICKHOUSE_HOST: undefined,
    NODE_OPTIONS: undefined,
  };
  const env = { ...process.env, ...own };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const said = [];
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      const [found] = /http:\/\/\S+/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then((code) => reject(new Error(`the order app has ended (${code}): ${said.join('\n')}`)));
  });
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** An order that is shipped: its notification fails, so that there is something of everything. */
async function shipAnOrder(url) {
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    assert(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
    return response.json();
  };
  const lines = [{ sku: 'BOX-1', quantity: 2, unitPrice: '1.50' }];
  const { orderId } = await post('/api/orders', { country: 'France', lines });
  await post(`/api/orders/${orderId}/pay`, {});
  await post(`/api/orders/${orderId}/ship`, {});
}

describe('the metrics of the order app', () => {
  let app;
  let metrics = '';
  before(async () => {
    app = await startApp();
    await shipAnOrder(app.url);
    // Some come a little later: the failure of the notification, the first look at the lag.
    for (let tries = 0; tries < 150 && (metrics === '' || allFaults(metrics).length > 0); tries += 1) {
      await sleep(100);
      metrics = await (await fetch(`${app.url}/metrics`)).text();
    }
  });
  after(() => app?.stop());

  it('are all that dashboards and alerts name', () => {
    assert.deepEqual(allFaults(metrics), []);
  });

  it('are needed for that', () => {
    const without = metrics.replaceAll('bento_group_lag', 'bento_group_lags');
    assert.match(allFaults(without).join('\n'), /rules\.yml: BentoLagGrowing: nobody exports "bento_group_lag"/);
    assert.match(allFaults(without).join('\n'), /consumers\.json: variable "group": nobody exports "bento_group_lag"/);
    const other = metrics.replaceAll('error_type=', 'error=');
    assert.match(
      allFaults(other).join('\n'),
      /panel "Failures by error": what is aggregated has no label "error_type"/,
    );
  });
});

const known = metricsIn(`
# TYPE bento_group_lag gauge
bento_group_lag{topic="a \\"b\\", c",group="g"} 3
# TYPE bento_seconds histogram
bento_seconds_bucket{command="C",le="0.1"} 1
bento_seconds_sum{command="C"} 0.01
bento_seconds_count{command="C"} 1
# TYPE bento_health gauge
bento_health{check="ready"} 1
`);

const one = ({ expr, legendFormat, gridPos = { x: 0, y: 0, w: 12, h: 8 } }) => ({
  title: 'One',
  gridPos,
  targets: [{ expr, legendFormat }],
});

const faults = (...panels) =>
  dashboardFaults(
    'x.json',
    {
      panels: panels.map(one),
      templating: { list: [{ name: 'job', query: { query: 'label_values(bento_health, job)' } }] },
    },
    known,
  );

describe('the check of a dashboard', () => {
  for (const expr of [
    'max by (topic, group) (bento_group_lag{job=~"$job"})',
    'histogram_quantile(0.95, sum by (le, command) (rate(bento_seconds_bucket{job=~"$job"}[$__rate_interval])))',
    'count(bento_health{check="ready"} == 0) or vector(0)',
    'rate(bento_seconds_sum[5m]) / rate(bento_seconds_count[5m])',
    'bento_group_lag * on (job) group_left () bento_health',
    'up{job="bento"} == 0 or absent(up{job="bento"})',
  ])
    it(`passes ${expr}`, () => assert.deepEqual(faults({ expr }), []));

  for (const { what, expected, ...panel } of [
    { what: 'a bracket that is not closed', expr: 'sum(bento_group_lag', expected: /syntax error/ },
    { what: 'a function that there is not', expr: 'rates(bento_group_lag[5m])', expected: /syntax error/ },
    { what: 'a metric that nobody exports', expr: 'max(bento_lag)', expected: /nobody exports "bento_lag"/ },
    {
      what: 'a histogram without its suffix',
      expr: 'rate(bento_seconds[5m])',
      expected: /nobody exports "bento_seconds"/,
    },
    {
      what: 'a label that a metric does not have',
      expr: 'bento_group_lag{queue="a"}',
      expected: /"bento_group_lag" has no label "queue"/,
    },
    {
      what: 'a label to group by that is not there',
      expr: 'sum by (queue) (bento_group_lag)',
      expected: /has no label "queue"/,
    },
    {
      what: 'buckets summed without their bounds',
      expr: 'histogram_quantile(0.9, sum by (command) (rate(bento_seconds_bucket[5m])))',
      expected: /no label "le"/,
    },
    {
      what: 'a legend with a label that was summed away',
      expr: 'sum by (topic) (bento_group_lag)',
      legendFormat: '{{group}}',
      expected: /its result has no label "group"/,
    },
    {
      what: 'a ratio of other labels',
      expr: 'sum by (topic) (bento_group_lag) / sum by (check) (bento_health)',
      expected: /its sides have other labels: topic and check/,
    },
    {
      what: 'a match by a label of one side',
      expr: 'bento_group_lag * on (topic) group_left () bento_health',
      expected: /one side has no label "topic"/,
    },
    {
      what: 'a variable that there is not',
      expr: 'bento_group_lag{topic=~"$topic"}',
      expected: /there is no variable "topic"/,
    },
  ])
    it(`finds ${what}`, () => assert.match(faults(panel).join('\n'), expected));

  it('finds panels that lie over each other', () => {
    const gridPos = { x: 6, y: 4, w: 12, h: 8 };
    assert.deepEqual(faults({ expr: 'up' }, { expr: 'up', gridPos }), ['x.json: panel "One" lies over "One"']);
  });

  it('finds files that are not what the generator makes', () => {
    const copy = join(folder, 'dashboards');
    cpSync(dashboardFolder, copy, { recursive: true });
    assert.deepEqual(staleFaults(copy), []);
    writeFileSync(join(copy, 'more.json'), '{}');
    writeFileSync(
      join(copy, 'overview.json'),
      readFileSync(join(copy, 'overview.json'), 'utf8').replace('"1h"', '"2h"').replace('now-1h', 'now-2h'),
    );
    rmSync(join(copy, 'consumers.json'));
    const found = staleFaults(copy);
    assert.equal(found.length, 3);
    assert.match(
      found.join('\n'),
      /more\.json: no dashboard makes it\noverview\.json: is not up to date.*\nconsumers\.json: is not up to date/,
    );
    assert.equal(Object.keys(dashboards).length, 4);
  });
});

describe('the check of the alerts', () => {
  const sound = readFileSync(rulesFile, 'utf8');
  for (const [what, from, to, expected] of [
    [
      'a syntax error',
      'bento_health{check="ready"} == 0',
      'bento_health{check="ready" == 0',
      /BentoNotReady: syntax error/,
    ],
    ['two alerts of one name', 'alert: BentoNotReady', 'alert: BentoNoScrape', /BentoNoScrape: there are two of it/],
    ['an alert that does not say for how long', '        for: 1m\n', '', /it does not say for how long/],
    [
      'a severity that nobody is called for',
      'severity: critical',
      'severity: fatal',
      /its severity is not warning or critical/,
    ],
    ['a runbook that is not written', '#not-ready', '#unready', /docs\/operations\.md has no part "unready"/],
  ])
    it(`finds ${what}`, () => {
      const broken = sound.replace(from, to);
      assert.notEqual(broken, sound);
      assert.match(ruleFaults(broken).join('\n'), expected);
    });
});
