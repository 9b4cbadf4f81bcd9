import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process that runs a program of the test folder against the packages' sources. */
export interface Child {
  readonly process: ChildProcess;
  /** Lines it has printed, whole ones. */
  readonly lines: () => readonly string[];
  readonly output: () => string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts `program`, a file of the test folder. */
export function startChild(
  program: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Child {
  const loader = file('../../../../tools/source-loader.mjs');
  const child = spawn(
    process.execPath,
    ['--conditions=@bento-bus/source', '--import', loader, file(`../${program}`), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return {
    process: child,
    lines: () => stdout.split('\n').slice(0, -1),
    output: () => stdout + stderr,
    ended: once(child, 'close').then(() => child.exitCode ?? child.signalCode),
  };
}
