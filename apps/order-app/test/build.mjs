// Runs once before the suites: they start the compiled application.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export default function build() {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const config = fileURLToPath(new URL('../tsconfig.lib.json', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-b', config], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`order-app: the build failed.\n${stdout}${stderr}`);
}
