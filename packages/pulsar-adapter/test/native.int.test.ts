import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startChild } from './support/child.ts';
import { type Broker, startBroker } from './support/harness.ts';

// In processes of its own: inside jest errors of an addon come from another realm.
const probe = spawnSync(
  process.execPath,
  [
    '-e',
    "import('pulsar-client').catch((error) => { console.log(String(error.message).split('\\n')[0]); process.exit(1); })",
  ],
  {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  },
);
const reason = probe.status === 0 ? undefined : probe.stdout.trim();

interface Result {
  readonly name: string;
  readonly status: string;
  readonly error?: string;
}

// Visibly skipped, with the reason.
const suite = reason === undefined ? describe : describe.skip;

suite(`Pulsar by pulsar-client${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  it('passes the kit', async () => {
    const child = startChild('native-kit-child.ts', [broker.serviceUrl, broker.webUrl]);
    const code = await child.ended;
    const results = child
      .lines()
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Result);
    expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(results.filter(({ status }) => status === 'passed').length).toBeGreaterThan(70);
    expect({ code, last: child.lines().at(-1) }).toEqual({ code: 0, last: 'done' });
  }, 600_000);
});
