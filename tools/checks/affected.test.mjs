// `nx affected` builds and tests only what a change touches: shown by edits in a scratch clone of the working tree.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nxBin, projects, root } from '../scripts/projects.mjs';

const names = (...short) => short.map((name) => `@bento-bus/${name}`);

/** The project and all that depend on it, by their manifests; dev dependencies too, since tests run from the sources of both. */
const dependents = (name) => {
  const found = new Set([name]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { manifest } of projects) {
      const used = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies };
      if (Object.keys(used).some((dependency) => found.has(dependency))) found.add(manifest.name);
    }
  }
  return [...found];
};
const all = projects.map(({ manifest }) => manifest.name);
const having = (script) =>
  projects.filter(({ manifest }) => manifest.scripts?.[script] !== undefined).map(({ manifest }) => manifest.name);
/** What must run when these projects are touched: each target in those of them that have the script. */
const expected = (touched) =>
  Object.fromEntries(
    ['build', 'test'].map((target) => [target, having(target).filter((name) => touched.includes(name))]),
  );

let clone;
const git = (cwd, ...args) =>
  execFileSync(
    'git',
    ['-c', 'safe.directory=*', '-c', 'user.name=check', '-c', 'user.email=check@localhost', ...args],
    {
      cwd,
      encoding: 'utf8',
    },
  );
const commit = () => {
  git(clone, 'add', '--all');
  git(clone, '-c', 'core.hooksPath=/dev/null', 'commit', '--quiet', '--no-gpg-sign', '-m', 'edit');
};
const nx = (...args) => {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' };
  return execFileSync(process.execPath, [nxBin(), ...args], {
    cwd: clone,
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 26,
  });
};

/** Commits an edit of some files; which projects `nx affected` then builds, and which it tests. */
const affectedBy = (...files) => {
  for (const file of files) appendFileSync(join(clone, file), '\n');
  commit();
  const targets = ['affected', '-t', 'build', 'test', '--base=HEAD~1', '--head=HEAD', '--exclude-task-dependencies'];
  const { tasks } = JSON.parse(nx(...targets, '--graph=stdout')).tasks;
  const of = (target) => all.filter((name) => `${name}:${target}` in tasks);
  const result = { build: of('build'), test: of('test') };
  for (const [target, list] of Object.entries(result)) {
    console.log(`edited ${files.join(', ')} -> ${target}: ${list.join(' ') || 'nothing'}`);
  }
  return result;
};
const buildCore = () => nx('run', '@bento-bus/core:build');

describe('nx affected', { skip: existsSync(join(root, '.git')) ? false : 'not a git repository' }, () => {
  before(() => {
    clone = mkdtempSync(join(tmpdir(), 'bento-affected-'));
    for (const file of git(root, 'ls-files', '--cached', '--others', '--exclude-standard', '-z').split('\0')) {
      if (file !== '' && existsSync(join(root, file))) cpSync(join(root, file), join(clone, file));
    }
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
    git(clone, 'init', '--quiet');
    commit();
  });
  after(() => rmSync(clone, { recursive: true, force: true }));

  it('takes codecs and what depends on it when codecs is edited, and no other package', () => {
    const affected = affectedBy('packages/codecs/src/index.ts');
    assert.deepEqual(affected, expected(dependents('@bento-bus/codecs')));
    for (const other of names('core', 'clickhouse-store', 'inprocess-bus')) assert.ok(!affected.test.includes(other));
  });

  it('takes every package when core is edited', () => {
    const affected = affectedBy('packages/core/src/index.ts');
    assert.deepEqual(affected, expected(all));
  });

  it('leaves the packages alone when only the app is edited', () => {
    assert.deepEqual(affectedBy('apps/order-app/src/main.ts'), expected(names('order-app')));
  });

  it('runs nothing when only documents of the workspace are edited', () => {
    assert.deepEqual(affectedBy('README.md', 'CONTRIBUTING.md', 'docs/architecture.md'), { build: [], test: [] });
  });

  it('takes only the users of a dependency when the lockfile moves it', () => {
    const file = join(clone, 'package-lock.json');
    const lock = JSON.parse(readFileSync(file, 'utf8'));
    lock.packages['node_modules/csv-parse'].version += '0';
    lock.packages['node_modules/csv-parse'].integrity = 'sha512-changed';
    writeFileSync(file, JSON.stringify(lock));
    assert.deepEqual(affectedBy('package-lock.json'), expected(names('order-app')));
  });

  it('builds nothing again when only the README, the tests or the API report of a package are edited', () => {
    assert.doesNotMatch(buildCore(), /\[(local cache|existing outputs)/);
    for (const file of ['README.md', 'src/errors.test.ts', 'etc/core.api.md']) {
      cpSync(join(root, 'LICENSE'), join(clone, 'packages/core', file));
    }
    assert.match(buildCore(), /\[(local cache|existing outputs)/);
    appendFileSync(join(clone, 'packages/core/src/logger.ts'), '\n');
    assert.doesNotMatch(buildCore(), /\[(local cache|existing outputs)/);
  });
});
