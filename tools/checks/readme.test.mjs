// The first example of the root README, as its reader would run it against the built packages.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projects, root } from '../scripts/projects.mjs';

describe('the README', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');

  it('has an example of at most 20 lines that compiles, runs and prints what its comments say', () => {
    const code = /```ts\n(?<code>.*?)```/s.exec(text).groups.code;
    const lines = code.trim().split('\n');
    assert.ok(lines.length <= 20, `${lines.length} lines`);
    const printed = execFileSync(process.execPath, [join(root, 'tools/scripts/run-readme.mjs'), root], {
      encoding: 'utf8',
    });
    const promised = lines.flatMap((line) => /\/\/ prints: (.*)$/.exec(line)?.slice(1) ?? []);
    assert.ok(promised.length > 0);
    assert.equal(printed.trim(), `README.md: ${promised.join(' | ')}`);
  });

  it('names every package, and links to places that exist', () => {
    for (const { folder, manifest } of projects) {
      if (manifest.private !== true) assert.ok(text.includes(`(${folder})`), `${manifest.name} is missing`);
    }
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md']) {
      for (const [, target] of readFileSync(join(root, file), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        assert.ok(existsSync(join(root, file, '..', target)), `${file} links to ${target}`);
      }
    }
  });
});
