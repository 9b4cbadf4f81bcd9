// The workspace's packages, as the root package.json names them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** `packages/*` or a plain folder: the patterns that this workspace uses. */
const foldersOf = (pattern) =>
  pattern.endsWith('/*')
    ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => `${pattern.slice(0, -2)}/${name}`)
    : [pattern];

/** Folder, relative and absolute, and manifest of each workspace package. */
export const projects = readJson(join(root, 'package.json'))
  .workspaces.flatMap(foldersOf)
  .filter((folder) => existsSync(join(root, folder, 'package.json')))
  .map((folder) => ({ folder, path: join(root, folder), manifest: readJson(join(root, folder, 'package.json')) }));

/** Nx itself, to be run by node; only once the dependencies are installed. */
export const nxBin = () => join(root, 'node_modules/nx', readJson(join(root, 'node_modules/nx/package.json')).bin.nx);
