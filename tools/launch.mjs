// What `npm start` and `npm run bento` share: builds what is stale, then runs a program of the workspace in this very process, so that
// signals reach it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const stack = new URL('stack/src/index.mjs', import.meta.url);

function compiler() {
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  return join(dirname(manifest), 'bin/tsc');
}

/** Quiet unless it fails; then what is wrong. */
function build(folder) {
  let tsc;
  try {
    tsc = compiler();
  } catch {
    return 'the dependencies are not installed. Run: npm ci';
  }
  const { status, error, stdout, stderr } = spawnSync(
    process.execPath,
    [tsc, '-b', join(folder, 'tsconfig.lib.json')],
    { encoding: 'utf8' },
  );
  if (status === 0) return undefined;
  // Null where the compiler could not be started.
  process.stderr.write([stdout, stderr].filter(Boolean).join(''));
  return `the build failed${error === undefined ? '' : ` (${error.message})`}. Mend what the compiler names above`;
}

/** What `npm run stack` started and still runs, for the settings that the user leaves open. */
async function found(servers) {
  const { endpointEnvironment, readEndpoints } = await import(stack.href);
  const known = readEndpoints();
  return JSON.stringify(endpointEnvironment(Object.fromEntries(servers.map((name) => [name, known[name]]))));
}

/**
 * Runs `dist/main.js` of a folder of the workspace. `script`: the npm script it is started by. `servers`: those of `npm run stack` that it may find
 * by itself. `refusal`: what begins the line that says why it cannot start.
 */
export async function launch({ folder, script, servers, refusal }) {
  const place = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
  const fault = build(place);
  if (fault !== undefined) {
    process.stderr.write(`${refusal}: ${fault}.\n`);
    process.exitCode = 1;
    return;
  }
  // npm runs scripts in the project's folder; relative paths are the user's.
  if (process.env.npm_lifecycle_event === script && process.env.INIT_CWD !== undefined)
    process.chdir(process.env.INIT_CWD);
  process.env.BENTO_FOUND ??= await found(servers);
  await import(pathToFileURL(join(place, 'dist/main.js')).href);
}
