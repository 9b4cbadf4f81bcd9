import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A Python that has the clients of others; or why there is none. */
export type Python = { readonly path: string } | { readonly missing: string };

/** Milliseconds: what PyPI and a client of others may take. One that hangs, as they do at their end, must not keep this process. */
const limits = { install: 180_000, script: 60_000 };

/** The cache of tools/stack, outside the repository. */
const cacheFolder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bento-bus');

const pathIn = (folder: string): string => join(folder, 'bin', 'python');

/** Installs `requirements` with pip into a virtual environment of their own, once. */
export async function pythonWith(requirements: readonly string[]): Promise<Python> {
  const folder = join(
    cacheFolder,
    `python-${createHash('sha256').update(requirements.join()).digest('hex').slice(0, 12)}`,
  );
  if (existsSync(folder)) return { path: pathIn(folder) };
  // Beside it and renamed when whole, so that nobody finds a part of it.
  const fresh = `${folder}.${process.pid}.part`;
  mkdirSync(cacheFolder, { recursive: true });
  try {
    await run('python3', ['-m', 'venv', fresh], limits.install);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements];
    await run(pathIn(fresh), pip, limits.install);
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(folder)) return { missing: (error as Error).message.split('\n').at(-1) ?? '' };
  }
  return { path: pathIn(folder) };
}

/** Runs `test/interop/<script>` with `input` as JSON on its standard input; resolves with the JSON that it prints last. */
export async function runPython(python: Python, script: string, input: object): Promise<unknown> {
  if ('missing' in python) throw new Error(python.missing);
  const file = fileURLToPath(new URL(`../interop/${script}`, import.meta.url));
  const output = await run(python.path, ['-B', file], limits.script, JSON.stringify(input));
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}

/** Resolves with what it printed; rejects with the end of what it complained of, and when it took too long: it is killed then. */
function run(command: string, args: readonly string[], limitMs: number, input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    let [output, complaint] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-4_000);
    });
    child.on('error', reject);
    child.on('exit', () => {
      if (!child.killed) return;
      reject(new Error(`${command} took longer than ${limitMs / 1_000} s: ${complaint.trim()}`));
      // What it started may hold them.
      child.stdout.destroy();
      child.stderr.destroy();
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended with ${code ?? signal}: ${complaint.trim()}`));
    });
    child.stdin.on('error', () => {}).end(input);
  });
}
