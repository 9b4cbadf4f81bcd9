// Runs the first ```ts block of a README as a program of its own, against the built packages: `node tools/scripts/run-readme.mjs [folder]`.
// It is type-checked first. Must exit with 0.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { root } from './projects.mjs';

const folder = resolve(process.argv[2] ?? '.');
const readme = join(folder, 'README.md');
const block = /```ts\n(?<code>.*?)```/s.exec(readFileSync(readme, 'utf8'))?.groups.code;
const fail = (why) => {
  console.error(`${relative(root, readme)}: ${why}`);
  process.exit(1);
};
if (block === undefined) fail('has no ```ts block');

const scratch = join(folder, 'tmp', 'readme');
rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });
writeFileSync(join(scratch, 'example.ts'), block);
const config = {
  extends: relative(scratch, join(root, 'tsconfig.base.json')),
  // As a user's project sees the packages: what is built, not what is written.
  compilerOptions: {
    customConditions: [],
    rootDir: '.',
    outDir: 'out',
    composite: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    incremental: false,
  },
  include: ['example.ts'],
};
writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(config));
// Without NO_COLOR, whose meeting with FORCE_COLOR node warns of.
const env = { ...process.env, NO_COLOR: undefined };
const run = (args, cwd) => spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8', timeout: 60_000 });
const compiled = run([join(root, 'node_modules/typescript/bin/tsc'), '-p', scratch], root);
if (compiled.status !== 0) fail(`its first example does not compile:\n${compiled.stdout}`);
const { status, stdout, stderr } = run(['out/example.js'], scratch);
if (status !== 0) fail(`its first example ended with ${status}:\n${stdout}${stderr}`);
if (stdout.trim() === '') fail('its first example prints nothing');
if (stderr.trim() !== '') fail(`its first example warns:\n${stderr}`);
console.log(`${relative(root, readme)}: ${stdout.trim().split('\n').join(' | ')}`);
