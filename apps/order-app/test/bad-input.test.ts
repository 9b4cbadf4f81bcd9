import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ended, Folders, importJson, main, type RunOptions, run, sample, start, until } from './cli.ts';
import { header, writeCsv } from './csv.ts';

const folders = new Folders();
let folder: string;
let good: string;
beforeAll(async () => {
  folder = await folders.make();
  good = join(folder, 'good.csv');
  await writeCsv(good, [{ invoice: '1' }]);
});
afterAll(() => folders.remove());

/** One line on stderr, nothing on stdout, and the code. */
const fault = ({ code, stdout, stderr }: Ended): { code: number | null; line: string } => {
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  return { code, line: stderr.trimEnd() };
};
const failing = async (args: readonly string[], options?: RunOptions): Promise<{ code: number | null; line: string }> =>
  fault(await run(args, { cwd: folder, ...options }));

const importing = (file: string): Promise<{ code: number | null; line: string }> =>
  failing(['import', file, '--data', join(folder, 'data'), '--json']);

describe('the command line', () => {
  it.each<[string, readonly string[], string]>([
    ['an unknown command', ['imprt'], 'unknown command "imprt". See: order-app --help'],
    ['an unknown option', ['orders', '--nope'], "unknown option '--nope'. See: order-app --help"],
    ['a missing argument', ['import'], "missing required argument 'file'. See: order-app --help"],
    [
      'a status that is none',
      ['orders', '--status', 'lost'],
      "option '--status <status>' argument 'lost' is invalid. Allowed choices are placed, paid, shipped, cancelled, refunded. See: order-app --help",
    ],
    [
      'a line that is none',
      ['place', '1', '--country', 'France', '--line', 'A:0:1'],
      "option '--line <sku:quantity:price[:description]>' argument 'A:0:1' is invalid. Quantity is 0. Write it as SKU:QUANTITY:PRICE[:DESCRIPTION]. See: order-app --help",
    ],
  ])('refuses %s with exit code 2', async (_, args, line) => {
    expect(await failing(args)).toEqual({ code: 2, line });
  });

  it.each([[[]], [['import']], [['orders']], [['place']]])('explains %j with --help', async (args) => {
    const { code, stdout, stderr } = await run([...args, '--help'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: order-app ${args.join(' ')}`));
    expect(stdout).toContain('--data <dir>');
  });
});

describe('the configuration', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['an unknown backend', { MESSAGE_BUS_TYPE: 'x' }, /^Unsupported message bus type: "x"; known: inprocess/],
    [
      'the port of the native protocol',
      { CLICKHOUSE_HOST: 'localhost', CLICKHOUSE_PORT: '9000' },
      /CLICKHOUSE_PORT.*9000.*8123/,
    ],
    ['several faults at once', { CLICKHOUSE_PORT: 'x', LOG_LEVEL: 'loud' }, /CLICKHOUSE_PORT.*LOG_LEVEL/],
  ])('of %s is refused with exit code 2', async (_, env, line) => {
    const data = join(folder, 'configuration');
    const refused = await failing(['import', good, '--data', data], { env });
    expect(refused).toEqual({ code: 2, line: expect.stringMatching(line) });
    expect(existsSync(data)).toBe(false);
  });

  it('is read from .env and bento.config.json in the folder of the user', async () => {
    const cwd = join(folder, 'configured');
    await mkdir(cwd);
    await writeFile(join(cwd, '.env'), 'MESSAGE_BUS_TYPE=from-env-file\n');
    expect((await failing(['orders'], { cwd })).line).toContain('"from-env-file"');
    await writeFile(join(cwd, '.env'), '');
    await writeFile(join(cwd, 'bento.config.json'), '{ "messaging": { "backend": "from-json" } }');
    expect((await failing(['orders'], { cwd })).line).toContain('"from-json"');
  });

  it('of a server that is not there fails with exit code 1', async () => {
    const env = { CLICKHOUSE_HOST: '127.0.0.1', CLICKHOUSE_PORT: '1' };
    expect(await failing(['import', good, '--data', join(folder, 'server')], { env })).toEqual({
      code: 1,
      line: expect.stringMatching(/ECONNREFUSED 127\.0\.0\.1:1.*Check that the server runs/),
    });
  });
});

describe('an import', () => {
  it('of a file that is not there says so', async () => {
    expect(await importing('missing.csv')).toEqual({
      code: 1,
      line: `order-app: cannot import "${join(folder, 'missing.csv')}": there is no such file. Name a CSV file that you may read.`,
    });
  });

  it('of a directory says so', async () => {
    expect(await importing('.')).toEqual({ code: 1, line: expect.stringContaining('it is a directory') });
  });

  it('of an empty file says so', async () => {
    await writeFile(join(folder, 'empty.csv'), '');
    expect(await importing('empty.csv')).toEqual({
      code: 1,
      line: expect.stringContaining(`it is empty. It must begin with ${header}.`),
    });
  });

  it('of another file says what it must be, and makes nothing', async () => {
    await writeFile(join(folder, 'other.csv'), 'a,b,c\n1,2,3\n');
    expect(await importing('other.csv')).toEqual({
      code: 1,
      line: `order-app: cannot import "${join(folder, 'other.csv')}": it is not a CSV of invoices. Its first line must be ${header} in UTF-8.`,
    });
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('into a file instead of a directory says so', async () => {
    const { code, line } = await failing(['import', good, '--data', good]);
    expect({ code, line }).toEqual({ code: 1, line: expect.stringContaining(good) });
  });
});

describe('a data directory', () => {
  it('in use by another process is refused, and the other loses nothing', async () => {
    const data = join(folder, 'in-use');
    const first = start(['import', sample, '--data', data, '--json']);
    let refused: Ended | undefined;
    await until('the second process is refused', async () => {
      if (first.child.exitCode !== null) throw new Error(`the first one ended: ${first.written.stderr}`);
      if (!existsSync(data)) return false;
      const second = await run(['orders', '--data', data]);
      if (second.code === 0) return false;
      refused = second;
      return true;
    });
    expect(fault(refused as unknown as Ended)).toEqual({
      code: 1,
      line: expect.stringMatching(new RegExp(`${data}.*another process`)),
    });
    const { code } = await first.ended;
    expect(code).toBe(0);
    expect(await importJson(sample, data)).toMatchObject({ orders: 1968, newEvents: 0, revenue: '440751.03' });
  });

  it('that is not ours is refused and left as it is', async () => {
    const data = join(folder, 'not-ours');
    await mkdir(data);
    await writeFile(join(data, 'letter.txt'), 'dear');
    const { code, line } = await failing(['orders', '--data', data]);
    expect({ code, line }).toEqual({ code: 1, line: expect.stringContaining(data) });
    expect(await readFile(join(data, 'letter.txt'), 'utf8')).toBe('dear');
  });
});

describe('a store', () => {
  const spoil = join(import.meta.dirname, 'spoil-store.mjs');

  it('with a database that is not ours is refused, and the database left as it is', async () => {
    const data = join(folder, 'foreign');
    expect(await run([data, 'database'], { script: spoil })).toMatchObject({ code: 0, stderr: '' });
    const refused = await failing(['import', good, '--data', data], { env: { CLICKHOUSE_DATABASE: 'other' } });
    expect(refused).toEqual({ code: 1, line: expect.stringMatching(/database "other".*not/) });
    // Ours beside it works.
    expect(await importJson(good, data)).toMatchObject({ orders: 1 });
  });

  it('with an event that cannot be projected ends with exit code 1 and names it, and the rest is there', async () => {
    const data = join(folder, 'spoiled');
    expect(await run([data, 'event'], { script: spoil })).toMatchObject({ code: 0, stderr: '' });
    const told = /failed events: version 1 of "order\/bad" in "orders" \(.*order\.placed.*\)/;
    const { code, stdout, stderr } = await run(['import', good, '--data', data, '--json']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(told);
    const shown = await run(['show', '1', '--data', data, '--json']);
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 1, stderr: expect.stringMatching(told) });
    expect(JSON.parse(shown.stdout)).toMatchObject({ orderId: '1', status: 'placed' });
  });
});

describe('output', () => {
  it('that nobody reads any more is no fault', async () => {
    const data = join(folder, 'pipe');
    await importJson(sample, data);
    const script = '{ "$0" "$1" orders --data "$2"; echo "code $?" >&2; } | head -1';
    const shell = spawn('sh', ['-c', script, process.execPath, main, data], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
    expect(stdout).toMatch(/^Order +Status/);
    expect(stderr).toBe('code 0\n');
  });
});
