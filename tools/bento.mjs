// `npm run bento -- …`: builds what is stale, then runs the command line in this very process, so that signals reach it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const stack = new URL('stack/src/index.mjs', import.meta.url);
const cli = fileURLToPath(new URL('../packages/cli/', import.meta.url));

function compiler() {
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  return join(dirname(manifest), 'bin/tsc');
}

/** Quiet unless it fails. */
function build() {
  let tsc;
  try {
    tsc = compiler();
  } catch {
    return 'the dependencies are not installed. Run: npm ci';
  }
  const { status, error, stdout, stderr } = spawnSync(process.execPath, [tsc, '-b', join(cli, 'tsconfig.lib.json')], {
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  // Null where the compiler could not be started.
  process.stderr.write([stdout, stderr].filter(Boolean).join(''));
  return `the build failed${error === undefined ? '' : ` (${error.message})`}. Mend what the compiler names above`;
}

/** What `npm run stack` started and still runs, as the last resort before the defaults; not the store, which has to be named. */
async function findServers() {
  const { endpointEnvironment, readEndpoints } = await import(stack.href);
  const { kafka, kafka3, pulsar, registry } = readEndpoints();
  return JSON.stringify(endpointEnvironment({ kafka, kafka3, pulsar, registry }));
}

const fault = build();
if (fault === undefined) {
  // npm runs scripts in the project's folder; relative paths are the user's.
  if (process.env.npm_lifecycle_event === 'bento' && process.env.INIT_CWD !== undefined)
    process.chdir(process.env.INIT_CWD);
  process.env.BENTO_FOUND ??= await findServers();
  await import(pathToFileURL(join(cli, 'dist/main.js')).href);
} else {
  process.stderr.write(`bento: cannot start: ${fault}.\n`);
  process.exitCode = 1;
}
