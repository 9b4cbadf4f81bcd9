// What is published is what is used: tarballs from `npm pack`, installed by npm into projects outside the workspace.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { projects, root } from '../scripts/projects.mjs';

const published = projects.filter(({ manifest }) => manifest.private !== true);
/** Every entry of every package that a program imports, e.g. `@bento-bus/core/adapter`. */
const entries = published.flatMap(({ manifest }) =>
  Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => `${manifest.name}${path.slice(1)}`),
);
/** What each consumer of core computes: functions of both entries, at work. */
const use = `JSON.stringify([typeof core.defineEvents, typeof adapter.createLanes, new core.BentoError('CLOSED', 'x').code])`;
const wanted = '["function","function","CLOSED"]';

const node = (cwd, ...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout.trim();
};

const npm = (cwd, ...args) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

describe('packed packages', () => {
  let dir;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'bento-consumer-'));
    const tarballs = published.map(({ path }) => {
      const [{ filename }] = JSON.parse(npm(path, 'pack', '--json', '--silent', '--pack-destination', dir));
      return `./${filename}`;
    });
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
    // Peers are the consumer's own: they, and its tools, come from the workspace instead of the registry.
    npm(dir, 'install', '--prefer-offline', '--legacy-peer-deps', '--no-audit', '--no-fund', ...tarballs);
    for (const name of ['@clickhouse', '@platformatic', '@swc', '@types', 'avsc', 'protobufjs']) {
      // The command line brings some of them itself.
      if (!existsSync(join(dir, 'node_modules', name)))
        symlinkSync(join(root, 'node_modules', name), join(dir, 'node_modules', name));
    }
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const project = (name, manifest, files) => {
    const path = join(dir, name);
    mkdirSync(path);
    writeFileSync(join(path, 'package.json'), JSON.stringify({ name, private: true, ...manifest }));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
    return path;
  };

  it('core works from an ES module', () => {
    const text = `import * as core from '@bento-bus/core'; import * as adapter from '@bento-bus/core/adapter'; console.log(${use});`;
    assert.equal(node(project('esm', { type: 'module' }, { 'index.js': text }), 'index.js'), wanted);
  });

  it('core works from CommonJS by require', () => {
    const text = `const core = require('@bento-bus/core'); const adapter = require('@bento-bus/core/adapter'); console.log(${use});`;
    const cwd = project('cjs', { type: 'commonjs' }, { 'index.js': text });
    // Node 20 says once that require of an ES module is experimental.
    assert.equal(node(cwd, '--disable-warning=ExperimentalWarning', 'index.js'), wanted);
  });

  it('core works from a Jest project that compiles to CommonJS', () => {
    const transform = { '^.+\\.[jt]s$': ['@swc/jest', { jsc: { target: 'es2022' }, module: { type: 'commonjs' } }] };
    const cwd = project(
      'jest-project',
      { type: 'commonjs' },
      {
        'jest.config.json': JSON.stringify({ transform, transformIgnorePatterns: ['/node_modules/(?!@bento-bus/)'] }),
        'core.test.js': `import * as core from '@bento-bus/core'; import * as adapter from '@bento-bus/core/adapter';
it('works', () => { expect(${use}).toBe('${wanted}'); });\n`,
      },
    );
    node(cwd, join(root, 'node_modules/jest/bin/jest.js'));
  });

  it('every entry of every package loads by import and by require, and gives the same', () => {
    const text = `const { isDeepStrictEqual } = require('node:util');
(async () => {
  for (const entry of ${JSON.stringify(entries)}) {
    const [imported, required] = [Object.keys(await import(entry)), Object.keys(require(entry))];
    if (imported.length === 0 || !isDeepStrictEqual(imported, required)) throw new Error(entry + ': ' + imported + ' | ' + required);
  }
})();`;
    const cwd = project('entries', { type: 'commonjs' }, { 'index.js': text });
    node(cwd, '--disable-warning=ExperimentalWarning', 'index.js');
  });

  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    it(`every entry has types for ${moduleResolution}, strict and without skipLibCheck`, () => {
      const imports = entries.map((entry, i) => `import * as p${i} from '${entry}';`);
      const uses = entries.map((_, i) => `export const k${i}: string[] = Object.keys(p${i});`);
      // A wrong payload must not compile for a user of the tarball either.
      const typed = `import type { EventDefinition, MessageBus } from '@bento-bus/core';
export const right = (bus: MessageBus, d: EventDefinition<'t', { id: string }>) => bus.publish(d, { id: 'x' });
// @ts-expect-error: id is a string
export const wrong = (bus: MessageBus, d: EventDefinition<'t', { id: string }>) => bus.publish(d, { id: 1 });`;
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable', 'dom'],
        types: ['node'],
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
      };
      const cwd = project(
        `types-${moduleResolution}`,
        { type: 'module' },
        {
          'index.ts': [...imports, ...uses, typed].join('\n'),
          'tsconfig.json': JSON.stringify({ compilerOptions, files: ['index.ts'] }),
        },
      );
      node(cwd, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
    });
  }

  it('no tarball carries tests or build leftovers; each carries README and LICENSE', () => {
    for (const { manifest } of published) {
      const files = readdirSync(join(dir, 'node_modules', manifest.name), { recursive: true });
      const leftovers = files.filter((file) => /\.test\.|tsbuildinfo|(^|\/)(tmp|coverage|etc)(\/|$)/.test(file));
      assert.deepEqual(leftovers, [], manifest.name);
      for (const file of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']) {
        assert.ok(files.includes(file), `${manifest.name}: ${file}`);
      }
    }
  });
});
