// The broker suites with full counts.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const folders = {
  kafka: 'packages/kafka-adapter',
  pulsar: 'packages/pulsar-adapter',
  delivery: 'tools/delivery',
  codecs: 'packages/codecs',
};

/** Suites by name; each resolves with the lines of its report, or rejects. */
export const brokerSuites = (options) =>
  Object.fromEntries(
    Object.entries(folders).map(([name, folder]) => [
      name,
      async () => {
        const path = join(root, folder);
        const file = join(path, 'tmp/broker-results.json');
        rmSync(file, { force: true });
        const { kills, seed, tests } = options;
        const full = {
          KILLS: kills,
          SEED: seed,
          DELIVERY_SEED: seed,
          FUZZ_SEED: seed,
          FUZZ_ITERATIONS: '200000',
          LONG: '1',
        };
        const env = { ...process.env, ...full, FORCE_COLOR: '0', NO_COLOR: undefined };
        const only = tests === undefined ? [] : ['--', '-t', tests];
        const child = spawn('npm', ['run', '--silent', 'test:brokers', ...only], {
          cwd: path,
          env,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let said = '';
        child.stdout.setEncoding('utf8').on('data', (text) => {
          said += text;
          process.stdout.write(text);
        });
        const code = await new Promise((settle) => {
          child.on('close', settle);
        });
        const { passed, failed, skipped, seconds, told = [] } = JSON.parse(readFileSync(file, 'utf8'));
        const chosen = tests === undefined ? '' : ` of those that match "${tests}"`;
        const counts = `${passed} passed, ${failed} failed, ${skipped} skipped${chosen} in ${seconds} s, KILLS=${kills}`;
        if (code !== 0) throw new Error(counts);
        // What tests measured: lines that say so.
        const figures = [...said.matchAll(/^figure: (.+)$/gm)].map(([, figure]) => figure);
        return [counts, ...figures, ...told];
      },
    ]),
  );
