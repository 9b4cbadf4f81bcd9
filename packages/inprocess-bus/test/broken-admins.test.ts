import { adminScenarios, runScenario } from '@bento-bus/conformance';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createInProcessAdmin, type InProcessTransport } from '../src/index.ts';
import { type AdminFinding, adminFindings } from './broken/admins.ts';
import { inProcessAdmin } from './kit-admin.ts';
import { pool } from './pool.ts';

/** What the scenario says of the broken administration. */
async function verdict({ scenario, breaks }: AdminFinding, deadlineMs: number): Promise<string> {
  const found = adminScenarios.find(({ name }) => name === scenario);
  if (found === undefined) return 'there is no such scenario';
  const { status, ...result } = await runScenario(found, {
    ...inProcessAdmin,
    deadlineMs,
    createAdmin: async (transport) => {
      const admin = createInProcessAdmin(transport as InProcessTransport);
      return { ...admin, ...breaks(admin) };
    },
  });
  return status === 'failed' ? String((result as { readonly error: unknown }).error) : status;
}

describe('an administration that', () => {
  const verdicts = new Map<string, string>();
  beforeAll(async () => {
    await pool(adminFindings, 10, async (finding) => {
      const first = await verdict(finding, 1_000);
      // With so many at once a scenario may lack time for what it does before.
      verdicts.set(finding.broken, finding.says.test(first) ? first : await verdict(finding, 10_000));
    });
  }, 60_000);

  it.each(adminFindings)('$broken is found', ({ broken, says }) => {
    expect(verdicts.get(broken)).toMatch(says);
  });

  it('breaks each promise that applies is among them', () => {
    const applying = adminScenarios.filter((scenario) => scenario.unmet(inProcessAdmin) === undefined);
    expect(adminFindings.map(({ scenario }) => scenario).toSorted()).toEqual(
      applying.map(({ name }) => name).toSorted(),
    );
  });
});
