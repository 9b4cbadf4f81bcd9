import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process of the test folder's program, run against the packages' sources. */
export interface Child {
  kill(signal: NodeJS.Signals): void;
  readonly output: () => string;
  /** The signal that ended it, or its exit code. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

export function startChild(program: string, env: Readonly<Record<string, string>>): Child {
  const loader = file('../../../source-loader.mjs');
  const child = spawn(process.execPath, ['--conditions=@bento-bus/source', '--import', loader, file(`../${program}`)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  return {
    kill: (signal) => void child.kill(signal),
    output: () => output,
    ended: once(child, 'close').then(() => child.signalCode ?? child.exitCode),
  };
}
