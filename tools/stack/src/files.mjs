import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The JSON in `file`, or `undefined` where there is none that can be read. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Replaces the file at once: who reads it meanwhile never sees half of it. */
export function writeJson(file, value, mode = 0o666) {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(value, undefined, 2)}\n`, { mode });
  renameSync(fresh, file);
}
