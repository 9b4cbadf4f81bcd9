import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Ended, Folders, generator, importJson, type RunOptions, sample, start, starter, until } from './cli.ts';

const folders = new Folders();
afterAll(() => folders.remove());

/** Of the sample, see import.test.ts. */
const expected = { orders: 1968, creditNotes: 32, lines: 5850, revenue: '440751.03', rejectedRows: 0 };

/** Printed with the name of the test, so that a failure can be run again with CRASH_SEED. */
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

/** mulberry32 */
function seededRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** CRASH_KILLS=10 for more; `npm run test:long` kills fifty times, at sizes of its own. */
const kills = Number(process.env['CRASH_KILLS'] ?? 4);

const invoices = 3_000;

/** Makes a file, begins to import it, and sends the signal. */
async function interrupted(
  file: string,
  data: string,
  signal: NodeJS.Signals,
  options?: RunOptions,
): Promise<{ end: Ended; done: number; fresh: number }> {
  const shape = ['--invoices', `${invoices}`, '--lines', '2', '--credit-notes', '0'];
  execFileSync(process.execPath, [generator, ...shape, '--out', file]);
  const { child, ended, written } = start(['import', file, '--data', data, '--json'], options);
  await until('the import has begun', () => child.exitCode !== null || written.stderr.includes('Importing 3,000'));
  child.kill(signal);
  const end = await ended;
  const said =
    /Interrupted: ([\d,]+) of 3,000 invoices are done, ([\d,]+) of them new\. Run the same command again/.exec(
      end.stderr,
    );
  expect(said).not.toBeNull();
  const [done = 0, fresh = 0] = said?.slice(1).map((count) => Number(count.replaceAll(',', ''))) ?? [];
  return { end, done, fresh };
}

describe('an import', () => {
  it(`killed at ${kills} random moments is completed by another run, with exact figures (CRASH_SEED=${seed})`, async () => {
    const random = seededRandom(seed);
    const folder = await folders.make();
    const data = join(folder, 'data');
    // How long a whole run takes here, so that the moments fall all over it.
    const begin = performance.now();
    await importJson(sample, join(folder, 'timed'));
    const whole = performance.now() - begin;
    let killed = 0;
    for (let round = 0; round < kills; round += 1) {
      const { child, ended } = start(['import', sample, '--data', data, '--json']);
      const timer = setTimeout(() => child.kill('SIGKILL'), random() * whole);
      if ((await ended).signal === 'SIGKILL') killed += 1;
      clearTimeout(timer);
    }
    expect(killed).toBeGreaterThan(0);
    expect(await importJson(sample, data)).toMatchObject(expected);
    expect(await importJson(sample, data)).toMatchObject({ ...expected, newEvents: 0 });
    // Several runs of the application, on a machine that may be busy.
  }, 180_000);

  it('ends in good order on SIGTERM, says what is done, and is completed by another run', async () => {
    const folder = await folders.make();
    const file = join(folder, 'many.csv');
    const data = join(folder, 'data');
    const { end, done, fresh } = await interrupted(file, data, 'SIGTERM');
    expect({ code: end.code, stdout: end.stdout }).toEqual({ code: 143, stdout: '' });
    expect(done).toBe(fresh);
    expect(done).toBeLessThan(invoices);
    const completed = { orders: invoices, lines: 2 * invoices, newEvents: invoices - done };
    expect(await importJson(file, data)).toMatchObject(completed);
  });

  it('ends in good order on SIGINT to what `npm start` runs', async () => {
    const folder = await folders.make();
    const { end } = await interrupted(join(folder, 'many.csv'), join(folder, 'data'), 'SIGINT', { script: starter });
    expect({ code: end.code, stdout: end.stdout }).toEqual({ code: 130, stdout: '' });
  });
});
