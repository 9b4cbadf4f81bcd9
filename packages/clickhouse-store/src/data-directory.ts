import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fault, reasonOf } from './errors.ts';

/** Lies in every data directory of ours from before the engine first opens it. */
const marker = 'bento-bus.json';
const markerText = `${JSON.stringify({ madeBy: '@bento-bus/clickhouse-store', format: 1 })}\n`;

/** How errors name what was tried. */
export const opening = (path: string): string => `open the data directory "${path}"`;

/**
 * Makes the directory or checks that it is one of ours and free; changes nothing otherwise. Returns its absolute path.
 * Throws `CONFIGURATION` for another's directory or one that cannot be used, `CONNECTION` for one in use by another process.
 */
export async function prepareDirectory(path: string): Promise<string> {
  const directory = resolve(path);
  const doing = opening(path);
  try {
    await mkdir(directory, { recursive: true });
    const entries = await readdir(directory);
    if (entries.length > 0 && !entries.includes(marker))
      throw fault('CONFIGURATION', doing, 'it has files that are not of Bento Bus', 'Use an empty or a new directory.');
    if (entries.length === 0) await writeFile(join(directory, marker), markerText);
  } catch (cause) {
    throw ours(cause) ?? unusable(doing, cause);
  }
  const holder = await lockHolder(directory);
  if (holder !== undefined && holder !== process.pid) throw inUse(path, holder);
  return directory;
}

/** One line for a directory that another process has. */
export const inUse = (path: string, pid?: number, cause?: unknown): Error =>
  fault(
    'CONNECTION',
    opening(path),
    `it is in use by another process${pid === undefined ? '' : ` (pid ${pid})`}`,
    'Stop that process, or use another directory; several processes need a ClickHouse server (option url, CLICKHOUSE_HOST).',
    cause,
    true,
  );

const ours = (cause: unknown): Error | undefined =>
  typeof cause === 'object' && cause !== null && 'retryable' in cause ? (cause as unknown as Error) : undefined;

function unusable(doing: string, cause: unknown): Error {
  const { code } = cause as { readonly code?: unknown };
  const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'it is not a directory' : reasonOf(cause);
  return fault('CONFIGURATION', doing, reason, 'Use a directory that this process may write to.', cause);
}

const hex = (value: bigint): string => value.toString(16).padStart(2, '0');

/**
 * Process that has the engine's lock on the directory, where it can be known: Linux lists locks by inode in /proc/locks. Asked before
 * the engine is, because the engine prints to stderr when it finds the lock taken.
 */
async function lockHolder(directory: string): Promise<number | undefined> {
  try {
    const [{ ino, dev }, locks] = await Promise.all([
      stat(join(directory, 'status'), { bigint: true }),
      readFile('/proc/locks', 'utf8'),
    ]);
    const major = (dev >> 8n) & 0xfffn;
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
    const place = `${hex(major)}:${hex(minor)}:${ino}`;
    const lock = locks.split('\n').find((line) => line.includes(` ${place} `) && !line.includes('->'));
    const pid = lock?.trim().split(/\s+/)[4];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    // No lock file: free. No /proc/locks: the engine will tell.
    return undefined;
  }
}
