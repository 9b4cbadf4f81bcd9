// A Node.js that @platformatic/kafka is meant for. `node tools/scripts/node24.mjs ARGUMENT …` runs it: this one where it is new enough,
// else one fetched once into the cache outside the repository. The npm package `node` would need install scripts.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../stack/src/cache.mjs';

const version = '24.21.0';

/** As the client declares it: >= 22.22. */
const isNewEnough = (given) => {
  const [major, minor] = given.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 22);
};

/** The path of a Node.js that is new enough. */
export async function node24(onProgress = (line) => console.error(line)) {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(cacheFolder(), `${name}-${version}`);
  const path = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(path)) return path;
  onProgress(`node24: fetching ${name}@${version} with npm (about 45 MB, once)`);
  // Beside it and renamed when whole, so that nobody finds a part of it.
  const fresh = `${folder}.${process.pid}.part`;
  mkdirSync(fresh, { recursive: true });
  const flags = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await run('npm', ['install', '--prefix', fresh, ...flags, `${name}@${version}`], ['ignore', 2, 2]);
  if (code !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(
      `node24: cannot fetch "${name}@${version}": npm ended with ${code}. See that the registry can be reached, or run this with Node.js 22.22 or newer.`,
    );
  }
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(path)) throw error;
  }
  return path;
}

/** Resolves with its exit code, as a shell counts it. */
const run = (command, args, stdio) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = await run(await node24(), process.argv.slice(2), 'inherit');
