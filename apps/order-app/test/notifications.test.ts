import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Folders, importJson, resultOf, run, sample, start, until } from './cli.ts';

const folders = new Folders();
afterAll(() => folders.remove());

const script = join(import.meta.dirname, 'hanging-notifier.mjs');

/** Ships an order and kills the process in the middle of its notification. */
async function shipAndKill(data: string, orderId: string, when: 'before' | 'after'): Promise<void> {
  const { child, ended, written } = start([data, orderId, when], { script });
  await until(`the notifier hangs: ${written.stderr}`, () => written.stdout !== '' || child.exitCode !== null);
  child.kill('SIGKILL');
  const { stdout, signal } = await ended;
  expect({ stdout, signal }).toEqual({ stdout: `hanging at ${orderId}\n`, signal: 'SIGKILL' });
}

const notified = async (data: string): Promise<string[]> => {
  const text = await readFile(join(data, 'notifications.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { orderId: string }).orderId);
};

describe('shipping notifications', () => {
  it('happen after a kill between commit and notification, twice only what was in flight, and never for an old import', async () => {
    const data = join(await folders.make(), 'data');
    // The very first order of all: the group has no other progress yet.
    await shipAndKill(data, '1', 'before');
    expect(resultOf(await run(['orders', '--data', data, '--json']))).toMatchObject([
      { orderId: '1', status: 'shipped' },
    ]);
    expect(await notified(data)).toEqual(['1']);

    await shipAndKill(data, '2', 'after');
    await run(['orders', '--data', data]);
    expect(await notified(data)).toEqual(['1', '2', '2']);

    await importJson(sample, data);
    await run(['rebuild', '--data', data]);
    expect(await notified(data)).toHaveLength(3);
  });
});
