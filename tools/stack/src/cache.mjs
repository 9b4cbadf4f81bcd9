// Servers as pinned Maven artifacts, fetched once into a folder outside the repository.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { failure } from './errors.mjs';
import { readJson, writeJson } from './files.mjs';
import { identityOf, isAlive } from './identity.mjs';
import { poll } from './poll.mjs';
import { program } from './programs.mjs';

export const cacheFolder = (environment = process.env) =>
  join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bento-bus');

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
const goals = { copy: 'copy-dependencies', unpack: 'unpack-dependencies' };
const waitMs = 15 * 60_000;

/**
 * The folder with the files of `artifact` ({ name, version, goal, about }), fetched first if they are not there. They are fetched into a
 * folder beside it and renamed when whole, by one process at a time.
 */
export async function fetched(artifact, { onProgress = () => undefined, signal } = {}) {
  const { name, version } = artifact;
  const folder = join(cacheFolder(), `${name}-${version}`);
  if (existsSync(folder)) return folder;
  const mvn = program('mvn', `fetch "${name}"`);
  mkdirSync(cacheFolder(), { recursive: true });
  // One lock for all: Maven 3 does not guard its local repository against a second Maven.
  const release = await lock(join(cacheFolder(), 'fetch.lock'), `fetch "${name}"`, { onProgress, signal });
  try {
    if (!existsSync(folder)) await fetchInto(folder, mvn, artifact, { onProgress, signal });
  } finally {
    release();
  }
  return folder;
}

async function fetchInto(folder, mvn, { name, version, goal, about }, { onProgress, signal }) {
  const fresh = `${folder}.${process.pid}.part`;
  // Left by a process that was killed while it held the lock.
  const left = readdirSync(cacheFolder()).filter((entry) => entry.startsWith(`${name}-`) && entry.endsWith('.part'));
  for (const entry of left) rmSync(join(cacheFolder(), entry), { recursive: true, force: true });
  // Maven writes beside its pom: here and not into the repository.
  const files = join(fresh, 'files');
  const pom = join(fresh, 'pom.xml');
  mkdirSync(fresh);
  copyFileSync(new URL(`../maven/${name}.pom.xml`, import.meta.url), pom);
  const output = [];
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1_000).toFixed(0)} s`;
  let count = 0;
  onProgress(`${name}: fetching version ${version} with Maven (${about}, once)`);
  const args = ['-B', '-f', pom, `${plugin}:${goals[goal]}`, '-DincludeScope=runtime', `-DoutputDirectory=${files}`];
  const child = spawn(mvn, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const ticker = setInterval(() => onProgress(`${name}: ${count} files fetched, ${seconds()}`), 5_000);
  try {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (line.includes('Downloaded ')) count += 1;
        else if (/ERROR|FATAL/.test(line)) output.push(line.replace(/^\[ERROR\] /, ''));
      });
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    if (code !== 0)
      throw failure(
        `fetch "${name}"`,
        `Maven failed: ${output.find((line) => line.trim() !== '') ?? `exit code ${code}`}`,
        `Check the network and the Maven settings, then try again.`,
      );
    renameSync(files, folder);
    onProgress(`${name}: fetched in ${seconds()}`);
  } finally {
    clearInterval(ticker);
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Holds `file` until the returned function is called; waits while a live process holds it. */
export async function lock(file, what, { onProgress = () => undefined, signal } = {}) {
  let told = false;
  const take = () => {
    // Linked, not written: a lock names its holder from its first moment.
    const mine = `${file}.${process.pid}`;
    writeJson(mine, identityOf(process.pid));
    try {
      linkSync(mine, file);
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    // The lock of a process that died is removed. Two that remove it at once both fetch, which is only slower.
    const holder = readJson(file);
    if (holder !== undefined && !isAlive(holder)) rmSync(file, { force: true });
    if (!told) onProgress(`waiting for process ${holder?.pid ?? 'unknown'}, which does the same`);
    told = true;
    return false;
  };
  if (!(await poll(take, { deadlineMs: waitMs, everyMs: 200, signal })))
    throw failure(what, `${file} was held for ${waitMs / 60_000} minutes`, 'Remove it if no such process runs.');
  return () => rmSync(file, { force: true });
}
