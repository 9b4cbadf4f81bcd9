// Starts a server of a kind: fetches it, gives it a folder and ports, and tries other ports when one was taken meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fetched } from './cache.mjs';
import { failure } from './errors.mjs';
import { readJson } from './files.mjs';
import { isAlive } from './identity.mjs';
import { choosePorts } from './ports.mjs';
import { program } from './programs.mjs';
import { ManagedServer, recordFile } from './server.mjs';

const attempts = 5;

/**
 * Resolves with a `ManagedServer` that is ready. Beside the public options: `name`, `extra` (what the kind needs to know more),
 * `preferredPorts`, and `detached` (it outlives this process).
 */
export async function startServer(kind, options = {}) {
  const { name = kind.name, ports: given = {}, preferredPorts, config = {}, extra = {}, detached = false } = options;
  const { heapMb = kind.heapMb, readyTimeoutMs, signal, onProgress } = options;
  signal?.throwIfAborted();
  checkPortNames(name, kind, given);
  const { dir, throwaway } = folderOf(name, options.dir);
  try {
    if (kind.java) program('java', `start "${name}"`);
    const home = kind.artifact && (await fetched(kind.artifact, { onProgress, signal }));
    for (let attempt = 1; ; attempt += 1) {
      const ports = await choosePorts(name, kind.ports, { given, preferred: attempt === 1 ? preferredPorts : {} });
      const settings = { name, dir, ports, heapMb, config, extra, ...(readyTimeoutMs && { readyTimeoutMs }) };
      const server = new ManagedServer(kind, settings, { home, watched: !detached, throwaway });
      try {
        await server.start(signal);
        return server;
      } catch (error) {
        const again = error.code === 'PORT_TAKEN' && attempt < attempts && Object.keys(given).length === 0;
        server.abandon();
        if (!again) throw error;
      }
    }
  } catch (error) {
    if (throwaway) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

function checkPortNames(name, kind, given) {
  const known = Object.keys(kind.ports);
  const unknown = Object.keys(given).find((port) => !known.includes(port));
  if (unknown !== undefined)
    throw failure(`start "${name}"`, `it has no port "${unknown}"`, `Its ports: ${known.join(', ')}.`);
}

function folderOf(name, dir) {
  if (dir === undefined) return { dir: mkdtempSync(join(tmpdir(), `bento-${name}-`)), throwaway: true };
  const folder = resolve(dir);
  const { identity } = readJson(recordFile(folder)) ?? {};
  if (isAlive(identity))
    throw failure(
      `start "${name}"`,
      `process ${identity.pid} already serves ${folder}`,
      'Stop it, or give another dir.',
    );
  return { dir: folder, throwaway: false };
}
