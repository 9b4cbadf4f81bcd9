import { createPulsarAdmin } from '@bento-bus/pulsar-adapter';
import { startSecurePulsar } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startChild } from './support/child.ts';
import { nativeSuite } from './support/native.ts';
import { type SecurePulsar, securityScenarios } from './support/security-scenarios.ts';

let server: SecurePulsar;
beforeAll(async () => {
  // The broker asks for a new token as soon as one has expired.
  server = await startSecurePulsar({ config: { authenticationRefreshCheckSeconds: '1' } });
}, 120_000);
afterAll(() => server.stop());

describe('security of Pulsar (websocket)', () => {
  it.each(securityScenarios)('$name', async ({ run }) => {
    await expect(run(server, 'websocket')).resolves.toBeUndefined();
  });
});

/** What is not well for the owner of a token, by check. */
async function complaintsOf(token: string | undefined): Promise<Record<string, string>> {
  const { serviceUrl, webUrl } = server;
  await using admin = createPulsarAdmin({ serviceUrl, webUrl, ...(token !== undefined && { token }) });
  const findings = await admin.diagnose();
  expect(JSON.stringify(findings)).not.toContain(token ?? 'no token');
  return Object.fromEntries(findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => [check, level]));
}

describe('diagnosis of Pulsar', () => {
  it('tells missing and wrong credentials from a role that may not look, and from one that may', async () => {
    const { security } = server;
    expect(await complaintsOf(undefined)).toEqual({ 'pulsar: credentials': 'fault' });
    expect(await complaintsOf(security.foreignToken)).toEqual({ 'pulsar: credentials': 'fault' });
    expect(await complaintsOf(security.token({ role: security.powerless.user }))).toEqual({
      'pulsar: namespace': 'warning',
      'pulsar: settings': 'warning',
    });
    expect(await complaintsOf(security.token())).toEqual({});
  });
});

const { suite, name } = nativeSuite('security of Pulsar (native)');

suite(name, () => {
  it('is the same', async () => {
    const child = startChild('native-security-child.ts');
    const code = await child.ended;
    const results = child
      .lines()
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly name: string; readonly fault?: string });
    expect(results.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect({ code, ran: results.length, last: child.lines().at(-1) }).toEqual({
      code: 0,
      ran: securityScenarios.length,
      last: 'done',
    });
  }, 180_000);
});
