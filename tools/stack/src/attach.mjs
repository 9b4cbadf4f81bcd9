// Servers that another process started, found again by the record in their folders.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fetched } from './cache.mjs';
import { readJson } from './files.mjs';
import { isAlive } from './identity.mjs';
import { kinds } from './kind.mjs';
import { ManagedServer, recordFile } from './server.mjs';

/** Every server with a folder in `folder`, by name: its record, and whether it runs. */
export function recorded(folder) {
  return foldersIn(folder)
    .map((name) => ({ name, record: readJson(recordFile(join(folder, name))) }))
    .filter(({ record }) => record !== undefined && Object.hasOwn(kinds, record.kind))
    .map(({ name, record }) => ({ name, record, running: isAlive(record.identity) }));
}

function foldersIn(folder) {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

/** The server of a record, to be stopped, killed or started again. It outlives this process. */
export async function attach({ record }, options) {
  const { kind: kindName, identity, endpoints: _, ...settings } = record;
  const kind = kinds[kindName];
  const home = kind.artifact && (await fetched(kind.artifact, options));
  return new ManagedServer(kind, settings, { home, identity });
}
