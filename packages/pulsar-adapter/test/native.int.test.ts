import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startChild } from './support/child.ts';
import { type Broker, startBroker } from './support/harness.ts';
import { nativeSuite } from './support/native.ts';

interface Result {
  readonly name: string;
  readonly status: string;
  readonly error?: string;
}

const { suite, name } = nativeSuite('Pulsar by pulsar-client');

suite(name, () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  it('passes the kit', async () => {
    const child = startChild('native-kit-child.ts', [broker.serviceUrl, broker.webUrl]);
    const code = await child.ended;
    const results = child
      .lines()
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Result);
    expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(results.filter(({ status }) => status === 'passed').length).toBeGreaterThan(70);
    expect({ code, last: child.lines().at(-1) }).toEqual({ code: 0, last: 'done' });
  }, 600_000);
});
