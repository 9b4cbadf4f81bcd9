import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from '@jest/globals';

const source = (path: string): string => new URL(path, import.meta.url).href;

const waiting = `async ({ out, signal }) => {
  while (!signal.aborted) {
    if (out.writable) out.write('line\\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return out.writable ? 7 : 8;
}`;

/** A process of a program: by default one that writes until it is to end, and then resolves with 7. `stdout`: a file. */
function start(program = waiting, options = '{ deadlineMs: 60_000 }', stdout?: number): ChildProcess {
  const code = `const { runProgram } = await import('${source('./index.ts')}');
    await runProgram(${program}, ${options});`;
  const flags = ['--conditions=@bento-bus/source', '--import', source('../../../../tools/source-loader.mjs')];
  const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', code], {
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function endOf(child: ChildProcess): Promise<{ readonly code: unknown; readonly stderr: string }> {
  const [stderr, [code]] = await Promise.all([text(child.stderr as Readable), once(child, 'exit')]);
  return { code, stderr };
}

it('a program ends with its own code, after a signal with the code of that, and is told that nobody reads any more', async () => {
  const [signalled, unread] = [start(), start()];
  const ended = Promise.all([signalled, unread].map(endOf));
  signalled.stdout?.once('data', () => signalled.kill('SIGINT'));
  unread.stdout?.once('data', () => unread.stdout?.destroy());
  expect(await ended).toEqual([
    { code: 130, stderr: 'SIGINT: draining, again to stop at once\n' },
    { code: 8, stderr: '' },
  ]);
});

it('a program that lingers is left after a while, says nothing of signals if it is quiet, and tells that its result cannot be written', async () => {
  const lingering = `async () => {
    setInterval(() => {}, 1_000);
    return 9;
  }`;
  const quiet = start(waiting, '{ deadlineMs: 60_000, quiet: true }');
  quiet.stdout?.once('data', () => quiet.kill('SIGTERM'));
  const ended = [endOf(start(lingering, '{ deadlineMs: 60_000, lingerMs: 50 }')), endOf(quiet)];
  const full = existsSync('/dev/full') ? openSync('/dev/full', 'w') : undefined;
  if (full !== undefined) ended.push(endOf(start(waiting, '{ deadlineMs: 60_000 }', full)));
  expect(await Promise.all(ended)).toEqual(
    [
      { code: 9, stderr: '' },
      { code: 143, stderr: '' },
      { code: 1, stderr: expect.stringMatching(/^Cannot write the result: .*ENOSPC.*\n$/) },
    ].slice(0, ended.length),
  );
  if (full !== undefined) closeSync(full);
});
