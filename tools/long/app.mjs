// The order app's long suites: exact figures, memory and cost with many invoices, kills at random moments; on the brokers too.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startKafka, startPulsar } from '../stack/src/index.mjs';

const root = resolve(import.meta.dirname, '../..');

const money = (sum) => `${sum / 100n}.${`${sum % 100n}`.padStart(2, '0')}`;

/** Figures worked out from the file without any code of the app: the generator's rows end in quantity, date, price, customer, country. */
const expected = (file) => {
  const orders = new Set();
  const credits = new Set();
  const cents = new Map();
  let lines = 0;
  for (const row of readFileSync(file, 'utf8').trimEnd().split('\n').slice(1)) {
    const id = row.slice(0, row.indexOf(','));
    const [, quantity, price, country] = /,(-?\d+),[^,]+,([\d.]+),\d*,([^,]+)$/.exec(row);
    if (id.startsWith('C')) credits.add(id);
    else {
      orders.add(id);
      lines += 1;
      cents.set(country, (cents.get(country) ?? 0n) + BigInt(quantity) * BigInt(Math.round(Number(price) * 100)));
    }
  }
  const byCountry = Object.fromEntries(
    [...cents].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([country, sum]) => [country, money(sum)]),
  );
  return {
    orders: orders.size,
    creditNotes: credits.size,
    lines,
    revenue: money([...cents.values()].reduce((a, b) => a + b, 0n)),
    byCountry,
  };
};

const highWater = (pid) => {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
};

const same = (figures, wanted) => {
  for (const [name, value] of Object.entries(wanted)) {
    if (JSON.stringify(figures[name]) !== JSON.stringify(value)) {
      throw new Error(`${name} is ${JSON.stringify(figures[name])}, wanted is ${JSON.stringify(value)}`);
    }
  }
};

const check = (holds, text) => {
  if (!holds) throw new Error(text);
};

/** One run of the app: its figures, its largest resident size in MiB. `killAfterMs`: SIGKILL then. */
const runImport = async (file, data, killAfterMs, env = {}) => {
  const args = ['tools/start.mjs', 'import', file, '--json', '--data', data, '--timeout', '1800'];
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const exit = new Promise((done) => child.on('exit', done));
  let rss = 0;
  for (
    const begin = Date.now();
    child.exitCode === null && child.signalCode === null;
    await Promise.race([exit, delay(20)])
  ) {
    rss = Math.max(rss, highWater(child.pid));
    if (killAfterMs !== undefined && Date.now() - begin >= killAfterMs) child.kill('SIGKILL');
  }
  const code = await exit;
  if (code !== 0 && killAfterMs === undefined)
    throw new Error(`the import ended with ${code}: ${stderr.trim().split('\n').at(-1)}`);
  return { code, rss, figures: code === 0 ? JSON.parse(stdout.trim().split('\n').at(-1)) : undefined };
};

/** Suites by name; each resolves with the lines of its report, or rejects. `options`: those of the command line. */
export function appSuites(options) {
  const scratch = mkdtempSync(join(tmpdir(), 'bento-long-'));
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

  /** mulberry32, as in tools/generate-sample.mjs: the run can be repeated by its seed. */
  let state = Number(options.seed) >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };

  const generate = (name, invoices) => {
    const file = join(scratch, `${name}.csv`);
    const args = [
      'tools/generate-sample.mjs',
      '--invoices',
      `${invoices}`,
      '--lines',
      '2-2',
      '--seed',
      options.seed,
      '--out',
      file,
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`the generator failed: ${stderr}`);
    return file;
  };

  const data = (name) => join(scratch, `data-${name}`);
  const big = Number(options.invoices);

  const suites = {
    async import() {
      const small = generate('small', 5_000);
      const large = generate('large', big);
      const runs = [];
      for (let i = 0; i < 3; i += 1) runs.push(await runImport(small, data(`small-${i}`)));
      for (const { figures } of runs) same(figures, { ...expected(small), rejectedRows: 0, newEvents: 5_000 });
      const seconds = runs.map(({ figures }) => figures.seconds).toSorted((a, b) => a - b)[1];
      const { figures, rss } = await runImport(large, data('large'));
      same(figures, { ...expected(large), rejectedRows: 0, newEvents: big });
      const ratio = figures.seconds / big / (seconds / 5_000);
      check(rss < 1_000, `the resident size reached ${rss.toFixed(0)} MiB`);
      check(ratio <= 1.5, `an order costs ${ratio.toFixed(2)} times as much at ${big} as at 5,000`);
      return [
        `5,000 invoices: ${seconds.toFixed(1)} s (median of 3), largest resident size ${Math.max(...runs.map((run) => run.rss)).toFixed(0)} MiB`,
        `${big.toLocaleString('en')} invoices: ${figures.seconds.toFixed(1)} s, largest resident size ${rss.toFixed(0)} MiB (limit 1,000)`,
        `cost of an order there against 5,000: ${ratio.toFixed(2)} (limit 1.5); all figures exact`,
      ];
    },
    async again() {
      const file = join(scratch, 'large.csv');
      const { figures } = await runImport(file, data('large'));
      same(figures, { ...expected(file), newEvents: 0 });
      return [
        `${big.toLocaleString('en')} invoices a second time: ${figures.seconds.toFixed(1)} s, 0 new events, same figures`,
      ];
    },
    async backends() {
      const file = generate('backends', big);
      const wanted = expected(file);
      const lines = [];
      const on = async (type, start, envOf) => {
        const server = await start();
        try {
          const env = { MESSAGE_BUS_TYPE: type, ...envOf(server) };
          const { figures, rss } = await runImport(file, data(`on-${type}`), undefined, env);
          same(figures, { ...wanted, rejectedRows: 0, newEvents: big });
          lines.push(
            `${big.toLocaleString('en')} invoices on ${type}: ${figures.seconds.toFixed(1)} s, largest resident size ${rss.toFixed(0)} MiB, all figures exact`,
          );
        } finally {
          await server.stop();
        }
      };
      await on('kafka', startKafka, ({ brokers }) => ({ KAFKA_BROKERS: brokers }));
      await on('pulsar', startPulsar, ({ serviceUrl, webUrl }) => ({
        PULSAR_DRIVER: 'websocket',
        PULSAR_SERVICE_URL: serviceUrl,
        PULSAR_WEB_URL: webUrl,
      }));
      return lines;
    },
    async kills() {
      const file = generate('kills', 5_000);
      const wanted = expected(file);
      const whole = (await runImport(file, data('whole'))).figures.seconds * 1_000;
      let kills = 0;
      let rounds = 0;
      while (kills < Number(options.kills)) {
        const dir = data(`kills-${rounds}`);
        rounds += 1;
        // Up to five in a row on one directory, so that a recovery is killed too.
        for (let inRow = 0; inRow < 5 && kills < Number(options.kills); inRow += 1) {
          const { code } = await runImport(file, dir, 300 + random() * whole);
          if (code === 0) break;
          kills += 1;
        }
        const { figures } = await runImport(file, dir);
        same(figures, wanted);
        rmSync(dir, { recursive: true, force: true });
        process.stderr.write(`kills: ${kills} of ${options.kills}\n`);
      }
      return [
        `${kills} SIGKILLs at random moments in ${rounds} data directories, each then run to its end: all figures exact`,
      ];
    },
  };
  return suites;
}
