// The layer rule refuses what it should: a checker that never fails would show green too.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { importFaults, layerFaults } from '../scripts/boundaries.mjs';

const project = (name, layer, rest = {}) => ({
  folder: `packages/${name}`,
  manifest: { name, nx: { tags: [`layer:${layer}`] }, ...rest },
});
const core = project('core', 'core');
const bus = project('bus', 'adapter', { dependencies: { core: '*' } });
const kit = project('kit', 'testkit', { dependencies: { core: '*' } });

describe('the layer rule', () => {
  it('takes adapters on core, compositions on adapters, and the test kit as a dev dependency of everyone', () => {
    const tested = project('tested', 'core', { devDependencies: { kit: '*', zod: '*' } });
    const runtime = project('runtime', 'composition', { dependencies: { bus: '*', core: '*' } });
    assert.deepEqual(layerFaults([core, bus, kit, tested, runtime]), []);
  });

  for (const [what, faulty] of Object.entries({
    'an adapter on an adapter': project('x', 'adapter', { peerDependencies: { bus: '*' } }),
    'a feature on an adapter, even for its tests': project('x', 'feature', { devDependencies: { bus: '*' } }),
    'a runtime dependency on the test kit': project('x', 'app', { dependencies: { kit: '*' } }),
    'core on anything at run time': project('x', 'core', { dependencies: { lodash: '*' } }),
    'an unknown layer': project('x', 'misc'),
  })) {
    it(`refuses ${what}`, () => {
      assert.equal(layerFaults([core, bus, kit, faulty]).length, 1);
    });
  }

  it('refuses a relative import that leaves the package, static or dynamic', () => {
    const path = mkdtempSync(join(tmpdir(), 'bento-boundaries-'));
    mkdirSync(join(path, 'src/deep'), { recursive: true });
    writeFileSync(
      join(path, 'src/deep/a.ts'),
      `import { b } from '../b.ts';\nimport { c } from '../../../core/src/index.ts';\n`,
    );
    writeFileSync(join(path, 'src/b.ts'), `export const b = await import('../../core/src/index.ts');\n`);
    const faults = importFaults({ path, folder: 'packages/x' }).toSorted();
    rmSync(path, { recursive: true });
    assert.equal(faults.length, 2);
    assert.match(faults[0], /^packages\/x\/src\/b\.ts: import \.\.\/\.\.\/core/);
    assert.match(faults[1], /^packages\/x\/src\/deep\/a\.ts: import \.\.\/\.\.\/\.\.\/core/);
  });
});
