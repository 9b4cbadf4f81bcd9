// What `npm run test:brokers` knows of its suites: second tries are told, and one that hangs is stopped and says where.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runSuite } from '../scripts/suite.mjs';

const tool = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bento-suites-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A project whose suite is one file. */
function project(name, text) {
  const path = join(folder, name);
  mkdirSync(join(path, 'test'), { recursive: true });
  const jest = `node --experimental-vm-modules --disable-warning=ExperimentalWarning "${tool('../node_modules/jest/bin/jest.js')}"`;
  const config = {
    transform: {},
    testMatch: ['<rootDir>/test/*.mjs'],
    setupFilesAfterEnv: [tool('jest.second-try.mjs')],
    maxWorkers: 1,
    reporters: [[tool('jest-reporter.mjs'), { file: 'tmp/results.json' }]],
  };
  writeFileSync(
    join(path, 'package.json'),
    JSON.stringify({ name, type: 'module', scripts: { 'test:brokers': jest }, jest: config }),
  );
  writeFileSync(join(path, 'test/one.mjs'), text);
  return path;
}

test('a test that passes at its second try is named', async () => {
  const path = project('flaky', "let tries = 0; it('flaky', () => { if (++tries < 2) throw new Error('not yet'); });");
  const { code, stopped } = await runSuite(path, process.env, 60_000);
  assert.deepEqual({ code, stopped }, { code: 0, stopped: [] });
  const { passed, failed, again } = JSON.parse(readFileSync(join(path, 'tmp/results.json'), 'utf8'));
  assert.deepEqual({ passed, failed, again }, { passed: 1, failed: 0, again: ['flaky'] });
});

test('a suite that hangs is stopped, and says in which test and what keeps it', async () => {
  const text =
    "it('hangs', () => new Promise((settle) => { setTimeout(settle, 60_000); process.stdout.write('x'); }), 90_000);";
  const path = project('hanging', text);
  const { stopped, leftOpen } = await runSuite(path, process.env, 4_000);
  assert.equal(leftOpen, false);
  assert.deepEqual(stopped.slice(0, 2), ['stopped: took longer than 4 s', '  it was at "hangs" in test/one.mjs']);
  assert.match(stopped.slice(2).join('\n'), process.platform === 'linux' ? /kept by timer/ : /^$/);
});
