import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const concurrency = 4;
const kills = 3;
const groups = ['mail', 'stock'];
const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs a process of the log; kills it once it has finished so many messages. Resolves with how it ended. */
async function live(folder: string, process_: number, killAt: number): Promise<string> {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '--conditions=@bento-bus/source',
      `--import=${new URL('../../../tools/source-loader.mjs', import.meta.url).href}`,
      fileOf('./crash-child.ts'),
      folder,
      String(process_),
      String(concurrency),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let finished = 0;
  let errors = '';
  child.stdout?.on('data', (dots: Buffer) => {
    finished += dots.length;
    if (finished >= killAt) child.kill('SIGKILL');
  });
  child.stderr?.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return signal ?? `${code}${errors}`;
}

it('handles every item of a log over SIGKILLs, and only what was in flight twice', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bento-inprocess-'));
  try {
    for (let process_ = 0; process_ < kills; process_++)
      expect(await live(folder, process_, 1 + Math.floor(Math.random() * 240))).toBe('SIGKILL');
    expect(await live(folder, kills, Number.POSITIVE_INFINITY)).toBe('0');

    const ledger = (await readFile(join(folder, 'ledger'), 'utf8')).trimEnd().split('\n');
    for (const group of groups) {
      const startedIn = new Map<string, number>();
      const repeats = Array.from({ length: kills + 1 }, () => 0);
      const finished = new Set<string>();
      for (const line of ledger) {
        const [process_, what, of, id = ''] = line.split(' ');
        if (of !== group) continue;
        if (what === 'finish') finished.add(id);
        else {
          const before = startedIn.get(id);
          if (before !== undefined) repeats[before] = (repeats[before] ?? 0) + 1;
          startedIn.set(id, Number(process_));
        }
      }
      expect(finished.size).toBe(400);
      // What is with a handler or handled and not stored holds a slot; the last process ended in order.
      expect(Math.max(...repeats)).toBeLessThanOrEqual(concurrency);
      expect(repeats[kills]).toBe(0);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
