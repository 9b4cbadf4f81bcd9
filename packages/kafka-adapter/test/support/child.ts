import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Arguments with which node runs TypeScript of this repository from its sources. */
export const sourceArgs: readonly string[] = [
  '--conditions=@bento-bus/source',
  '--import',
  new URL('../../../../tools/source-loader.mjs', import.meta.url).href,
];

/** A process that runs a program of `test`. */
export interface Child {
  readonly process: ChildProcess;
  readonly stderr: () => string;
  /** Waits until it has printed this; fails when it ends before. */
  readonly seen: (text: string) => Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export function startChild(program: string, env: Readonly<Record<string, string>>): Child {
  const file = fileURLToPath(new URL(`../${program}`, import.meta.url));
  const child = spawn(process.execPath, [...sourceArgs, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      printed[stream] += chunk.toString();
      child.emit('printed');
    });
  const ended = once(child, 'close').then(() => child.exitCode ?? child.signalCode);
  return {
    process: child,
    stderr: () => printed.stderr,
    ended,
    seen: async (text) => {
      while (!printed.stdout.includes(text)) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`the child ended without "${text}": ${printed.stdout}${printed.stderr}`);
        await Promise.race([once(child, 'printed'), ended]);
      }
    },
  };
}
