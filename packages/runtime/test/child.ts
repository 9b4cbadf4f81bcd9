import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that runs a program against the packages' sources. */
export interface Child {
  readonly child: ChildProcess;
  /** What it printed, on both ways. */
  readonly output: () => string;
  /** Waits until it has printed this. Fails when it ends before. */
  readonly seen: (text: string) => Promise<void>;
}

/** A program given as text. */
export const startProgram = (text: string): Child => startChild(['--input-type=module', '-e', text]);

/** Arguments of `node`, in the folder of this package. */
export function startChild(args: readonly string[]): Child {
  const loader = fileURLToPath(new URL('../../../tools/source-loader.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@bento-bus/source', '--import', loader, ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let closed = false;
  const add = (chunk: Buffer): void => {
    output += chunk.toString();
    child.emit('printed');
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  child.on('close', () => {
    closed = true;
  });
  const seen = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      if (closed) throw new Error(`the child ended (${child.exitCode ?? child.signalCode}) and printed: ${output}`);
      await Promise.race([once(child, 'printed'), once(child, 'close')]);
    }
  };
  return { child, output: () => output, seen };
}
