import { describeTransport } from '@bento-bus/conformance';
import { startKafka } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { harness } from './support/harness.ts';

type Server = Awaited<ReturnType<typeof startKafka>>;
let server: Server | undefined;

beforeAll(async () => {
  server = await startKafka();
}, 60_000);
afterAll(async () => {
  await server?.stop();
}, 30_000);

describeTransport(
  { describe, it },
  harness('kafka, one broker', () => server as Server),
);
