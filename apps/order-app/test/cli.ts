import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
/** The compiled application. */
export const main = join(root, 'apps/order-app/dist/main.js');

/** The checked-in sample. */
export const sample = join(root, 'apps/order-app/sample/invoices.csv');
/** The generator of the sample. */
export const generator = join(root, 'tools/generate-sample.mjs');
/** What `npm start` runs. */
export const starter = join(root, 'tools/start.mjs');

/** How a run of the application ended. */
export interface Ended {
  /** Null: by a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** User and group to run as; needs root. */
  readonly uid?: number;
  /** Another script than the application. */
  readonly script?: string;
}

/** A run of the application. */
export interface Running {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly written: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<Ended>;
}

/** Starts the compiled application as a user would, with nothing of this process's configuration. */
export function start(args: readonly string[], { cwd, env, uid, script = main }: RunOptions = {}): Running {
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...written }));
  });
  return { child, written, ended };
}

/** Runs the application to its end. */
export const run = (args: readonly string[], options?: RunOptions): Promise<Ended> => start(args, options).ended;

/** What `--json` of an import prints. */
export interface Figures {
  readonly orders: number;
  readonly creditNotes: number;
  readonly lines: number;
  readonly rejectedInvoices: number;
  readonly rejectedRows: number;
  readonly revenue: string;
  readonly byCountry: Readonly<Record<string, string>>;
  readonly newEvents: number;
  readonly seconds: number;
}

/** The last line of a successful run, as JSON. */
export function resultOf({ code, stdout, stderr }: Ended): unknown {
  if (code !== 0) throw new Error(`it ended with ${code}: ${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

/** Imports a file and gives the figures of `--json`. */
export const importJson = async (file: string, data: string, options?: RunOptions): Promise<Figures> =>
  resultOf(await run(['import', file, '--data', data, '--json'], options)) as Figures;

/** Folders that vanish with {@link Folders.remove}. */
export class Folders {
  readonly #made: string[] = [];

  async make(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'order-app-'));
    this.#made.push(folder);
    return folder;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#made.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

/** Asks until the answer is true; rejects after the deadline. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
  pauseMs = 5,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, pauseMs);
    });
  }
}
