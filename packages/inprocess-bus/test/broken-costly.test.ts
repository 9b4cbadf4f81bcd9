import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScenario, type ScenarioResult, type TransportHarness, transportScenarios } from '@bento-bus/conformance';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createInProcessTransport, type InProcessTransport } from '../src/index.ts';
import { broken, type Finding, findings } from './broken/costly.ts';
import { inProcess, inProcessWith, servedBy } from './kit.ts';
import { pool } from './pool.ts';
import { serve } from './served/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'bento-inprocess-'));

/** Runs the scenario of a finding on what it breaks. */
async function run({ scenario, broken: name, where }: Finding, deadlineMs: number): Promise<ScenarioResult> {
  const found = transportScenarios.find((one) => one.name === scenario);
  if (found === undefined) throw new Error(`there is no scenario "${scenario}"`);
  const served = await serve(createInProcessTransport());
  const here = servedBy(served);
  const forAll = createInProcessTransport();
  const harnesses: Record<Finding['where'], TransportHarness> = {
    here: { ...inProcess, sessionMs: 100, createTransport: async () => broken(createInProcessTransport(), name) },
    'in processes': inProcessWith(folder, name),
    'for tenants': { ...inProcess, createTenant: async () => forAll },
    served: {
      ...here,
      createTransport: async () => broken((await here.createTransport()) as InProcessTransport, name),
    },
    'served to processes': servedBy(served, name),
  };
  try {
    return await runScenario(found, { ...harnesses[where], kills: 1, deadlineMs });
  } finally {
    await served.close();
  }
}

const finds = ({ says }: Finding, result: ScenarioResult): boolean =>
  result.status === 'failed' && says.test(String(result.error));

describe('a costly scenario', () => {
  const results = new Map<string, ScenarioResult>();
  beforeAll(async () => {
    const doubtful: Finding[] = [];
    await pool(findings, 5, async (finding) => {
      // Lost is what does not come in time.
      const result = await run(finding, ['served', 'for tenants'].includes(finding.where) ? 2_000 : 20_000);
      results.set(finding.scenario, result);
      if (!finds(finding, result)) doubtful.push(finding);
    });
    // What lacked time gets more of it; some faults show by chance only.
    await pool(doubtful, 2, async (finding) => {
      for (let tries = 0; tries < 3 && !finds(finding, results.get(finding.scenario) as ScenarioResult); tries += 1)
        results.set(finding.scenario, await run(finding, 8_000));
    });
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const { scenario, broken: name, says } of findings)
    it(`finds that a transport ${name}: ${scenario}`, () => {
      const result = results.get(scenario);
      expect(result).toMatchObject({ status: 'failed' });
      expect(String(result?.status === 'failed' ? result.error : '')).toMatch(says);
    });
});
