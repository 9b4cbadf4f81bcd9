import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startChild } from './support/child.ts';
import { type Broker, startBroker } from './support/harness.ts';

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

it("runs the README's example, which prints what its comment says", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const folder = new URL('../tmp/readme/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('example.ts', folder), /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');
  const { serviceUrl, webUrl } = broker;
  const child = startChild('../tmp/readme/example.ts', [], { PULSAR_SERVICE_URL: serviceUrl, PULSAR_WEB_URL: webUrl });
  expect({ code: await child.ended, lines: child.lines() }).toEqual({
    code: 0,
    lines: ['order.placed, attempt 2: 59.70', 'order.shipped, attempt 1: DHL'],
  });
});
