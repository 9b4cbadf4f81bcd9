// `nx affected` builds and tests only what a change touches: shown on a scratch clone of the committed tree.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const name = (project) => `@bento-bus/${project}`;

describe('nx affected', () => {
  let clone;
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=check', '-c', 'user.email=check@localhost', ...args], {
      cwd: clone,
      encoding: 'utf8',
    }).trim();

  before(() => {
    clone = mkdtempSync(join(tmpdir(), 'bento-affected-'));
    execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone]);
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  });
  after(() => rmSync(clone, { recursive: true, force: true }));

  /** Projects whose `target` runs after an edit of some files, in alphabetical order. */
  const affected = (target, ...files) => {
    const base = git('rev-parse', 'HEAD');
    for (const file of files) {
      assert.ok(existsSync(join(clone, file)), `${file} is not in the clone`);
      appendFileSync(join(clone, file), '\n');
    }
    git('commit', '--quiet', '--all', '-m', 'edit');
    const args = [
      'nx',
      'show',
      'projects',
      '--affected',
      `--base=${base}`,
      '--head=HEAD',
      '--withTarget',
      target,
      '--json',
    ];
    const env = {
      ...process.env,
      NX_DAEMON: 'false',
      NX_WORKSPACE_ROOT_PATH: clone,
      NX_CACHE_DIRECTORY: join(clone, '.nx/cache'),
    };
    const found = JSON.parse(execFileSync('npx', args, { cwd: clone, encoding: 'utf8', env })).toSorted();
    console.log(`${files.join(', ')} -> ${target}: ${found.join(' ') || 'nothing'}`);
    return found;
  };

  it('builds and tests codecs and what depends on it when codecs is edited, and nothing else', () => {
    const users = ['codecs', 'order-app', 'runtime'].map(name);
    assert.deepEqual(affected('build', 'packages/codecs/src/index.ts'), users);
    assert.deepEqual(affected('test', 'packages/codecs/src/index.ts'), users);
  });

  it('leaves the packages alone when only the app is edited', () => {
    assert.deepEqual(affected('test', 'apps/order-app/src/main.ts'), [name('order-app')]);
  });

  it('touches every package when core is edited', () => {
    const all = [
      'clickhouse-store',
      'codecs',
      'conformance',
      'core',
      'eventsourcing',
      'inprocess-bus',
      'order-app',
      'runtime',
    ].map(name);
    assert.deepEqual(affected('test', 'packages/core/src/index.ts'), all);
  });

  it('runs nothing when only documentation of the workspace is edited', () => {
    assert.deepEqual(affected('test', 'README.md', 'docs/architecture.md'), []);
  });
});
