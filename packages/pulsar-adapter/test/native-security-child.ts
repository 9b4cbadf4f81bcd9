import { startSecurePulsar } from '@bento-bus/stack';
import { securityScenarios } from './support/security-scenarios.ts';

// Its own broker: the parent cannot hand over what makes tokens.
const server = await startSecurePulsar({ config: { authenticationRefreshCheckSeconds: '1' } });
for (const { name, run } of securityScenarios) {
  const begin = performance.now();
  let fault: string | undefined;
  try {
    await run(server, 'native');
  } catch (error) {
    fault = (error as Error).stack ?? String(error);
  }
  console.log(JSON.stringify({ name, fault, ms: Math.round(performance.now() - begin) }));
}
await server.stop();
console.log('done');
