// What is published is what is used: packed tarballs in projects of their own, outside the workspace.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const packages = ['core', 'inprocess-bus', 'codecs', 'eventsourcing', 'runtime', 'conformance', 'clickhouse-store'];
const value = `JSON.stringify([typeof core.defineEvents, typeof adapter.createLanes, new core.BentoError('CLOSED', 'x').code])`;
const wanted = '["function","function","CLOSED"]';

const node = (cwd, ...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout.trim();
};

describe('packed packages', () => {
  let dir;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'bento-consumer-'));
    for (const name of packages) {
      const [{ filename }] = JSON.parse(
        execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', dir], {
          cwd: join(root, 'packages', name),
          encoding: 'utf8',
        }),
      );
      const target = join(dir, 'node_modules/@bento-bus', name);
      mkdirSync(target, { recursive: true });
      // A tarball is what npm would unpack; installing it by npm would ask the registry for the packages that it depends on.
      execFileSync('tar', ['xzf', join(dir, filename), '--strip-components=1', '-C', target]);
    }
    // The consumers' own tools, and the peers, come from the workspace.
    for (const name of ['jest', '@jest', '@swc', 'typescript', '@types', '@clickhouse', 'zod']) {
      mkdirSync(dirname(join(dir, 'node_modules', name)), { recursive: true });
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
    const cwd = project(
      'esm',
      { type: 'module' },
      {
        'index.js': `import * as core from '@bento-bus/core'; import * as adapter from '@bento-bus/core/adapter'; console.log(${value});`,
      },
    );
    assert.equal(node(cwd, 'index.js'), wanted);
  });

  it('core works from CommonJS by require', () => {
    const cwd = project(
      'cjs',
      { type: 'commonjs' },
      {
        'index.js': `const core = require('@bento-bus/core'); const adapter = require('@bento-bus/core/adapter'); console.log(${value});`,
      },
    );
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
        'core.test.js': `import * as core from '@bento-bus/core'; import * as adapter from '@bento-bus/core/adapter';\nit('works', () => { expect(${value}).toBe('${wanted}'); });\n`,
      },
    );
    node(cwd, join(root, 'node_modules/jest/bin/jest.js'));
  });

  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    it(`every package has types for ${moduleResolution}, strict and without skipLibCheck`, () => {
      const cwd = project(
        `types-${moduleResolution}`,
        { type: 'module' },
        {
          'index.ts': packages
            .map(
              (name, i) =>
                `import * as p${i} from '@bento-bus/${name}';\nexport const k${i}: string[] = Object.keys(p${i});\n`,
            )
            .join(''),
          'tsconfig.json': JSON.stringify({
            compilerOptions: {
              module,
              moduleResolution,
              target: 'es2023',
              lib: ['es2023', 'esnext.disposable', 'dom'],
              types: ['node'],
              strict: true,
              exactOptionalPropertyTypes: true,
              noEmit: true,
              skipLibCheck: false,
            },
            files: ['index.ts'],
          }),
        },
      );
      node(cwd, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.');
    });
  }

  it('no tarball carries tests or build leftovers, each carries README and LICENSE', () => {
    for (const name of packages) {
      const files = execFileSync('find', ['.', '-type', 'f'], {
        cwd: join(dir, 'node_modules/@bento-bus', name),
        encoding: 'utf8',
      }).split('\n');
      assert.deepEqual(
        files.filter((file) => /\.test\.|tsbuildinfo|\/tmp\//.test(file)),
        [],
        name,
      );
      for (const file of ['./README.md', './LICENSE', './dist/index.js', './dist/index.d.ts'])
        assert.ok(files.includes(file), `${name}: ${file}`);
    }
  });
});
