import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process that runs a program of this folder against the packages' sources. */
export interface Child {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until it has printed this. Fails when it ends before. */
  readonly seen: (text: string) => Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts `program`, a file of this folder. */
export function startChild(
  program: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  nodeArgs: readonly string[] = [],
): Child {
  const child = spawn(
    process.execPath,
    [
      ...nodeArgs,
      '--conditions=@bento-bus/source',
      '--import',
      file('../../../../tools/source-loader.mjs'),
      file(program),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  );
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      printed[stream] += chunk.toString();
      child.emit('printed');
    });
  const ended = once(child, 'close').then(() => child.exitCode ?? child.signalCode);
  return {
    process: child,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    ended,
    seen: async (text) => {
      while (!printed.stdout.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null) {
          await ended;
          if (printed.stdout.includes(text)) return;
          throw new Error(`the child ended without "${text}": ${printed.stdout}${printed.stderr}`);
        }
        await Promise.race([once(child, 'printed'), ended]);
      }
    },
  };
}
