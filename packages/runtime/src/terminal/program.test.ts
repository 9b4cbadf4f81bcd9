import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';

const source = (path: string): string => new URL(path, import.meta.url).href;

/** A process whose program writes until it is to end, and then resolves with 7. */
function start(): ChildProcessByStdio<null, Readable, Readable> {
  const program = `const { runProgram } = await import('${source('./index.ts')}');
    await runProgram(async ({ out, signal }) => {
      while (!signal.aborted) {
        if (out.writable) out.write('line\\n');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return out.writable ? 7 : 8;
    }, { deadlineMs: 60_000 });`;
  const flags = ['--conditions=@bento-bus/source', '--import', source('../../../../tools/source-loader.mjs')];
  return spawn(process.execPath, [...flags, '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

it('a program ends with its own code, after a signal with the code of that, and is told that nobody reads any more', async () => {
  const [signalled, unread] = [start(), start()];
  const ended = [signalled, unread].map(async (child) => {
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    return { code, stderr };
  });
  signalled.stdout.once('data', () => signalled.kill('SIGINT'));
  unread.stdout.once('data', () => unread.stdout.destroy());
  expect(await Promise.all(ended)).toEqual([
    { code: 130, stderr: 'SIGINT: draining, again to stop at once\n' },
    { code: 8, stderr: '' },
  ]);
});
