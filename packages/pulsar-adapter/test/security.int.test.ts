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
