// A class-data archive of a Java server: its classes as the JVM keeps them, mapped at the start instead of loaded. Made once, after the fetch.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, fetched, lock } from './cache.mjs';
import { program } from './programs.mjs';
import { startServer } from './start.mjs';

const fileOf = ({ artifact: { name, version } }) => join(cacheFolder(), `${name}-${version}.jsa`);

/** The JVM passes over an archive that it cannot use, as one made by another Java. */
export function archiveFlags(kind, { extra }) {
  if (extra.archiveTo !== undefined)
    return [`-XX:ArchiveClassesAtExit=${extra.archiveTo}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
  const file = fileOf(kind);
  return existsSync(file) ? [`-XX:SharedArchiveFile=${file}`, '-Xlog:cds=off'] : [];
}

/** Makes the archive unless it is there: starts the server once in a throwaway folder and stops it. A failure costs only speed. */
async function ensureArchive(kind, { onProgress = () => undefined, signal } = {}) {
  const file = fileOf(kind);
  if (existsSync(file)) return;
  const release = await lock(join(cacheFolder(), 'fetch.lock'), `prepare "${kind.name}"`, { onProgress, signal });
  const fresh = `${file}.${process.pid}`;
  try {
    if (existsSync(file)) return;
    onProgress(`${kind.name}: making its class-data archive (once, some seconds)`);
    const start = performance.now();
    const server = await startServer(
      { ...kind, stopMs: 120_000, archive: false },
      { extra: { archiveTo: fresh }, signal },
    );
    await server.stop();
    renameSync(fresh, file);
    onProgress(`${kind.name}: archive made in ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  } catch (error) {
    signal?.throwIfAborted();
    onProgress(`${kind.name}: goes on without a class-data archive: ${error.message.split('\n')[0]}`);
  } finally {
    rmSync(fresh, { force: true });
    release();
  }
}

/** Does what a kind needs once a machine. */
export async function prepared(kind, options) {
  if (kind.java) program('java', `start "${kind.name}"`);
  if (kind.artifact) await fetched(kind.artifact, options);
  if (kind.archive) await ensureArchive(kind.base ?? kind, options);
}
