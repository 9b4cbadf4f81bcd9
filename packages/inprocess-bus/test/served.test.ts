import { runScenario, transportScenarios } from '@bento-bus/conformance';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createInProcessTransport } from '../src/index.ts';
import { inProcessWith, servedBy } from './kit.ts';
import { type Served, serve } from './served/server.ts';

// What needs several processes, or a backend that restarts: here on a transport of this package that others reach through a socket.
describe('a served transport', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(createInProcessTransport());
  });
  afterAll(() => served.close());

  const scenarios = transportScenarios.filter((scenario) => scenario.unmet(inProcessWith('')) !== undefined);
  for (const scenario of scenarios)
    it(`passes: ${scenario.name}`, async () => {
      const harness = { ...servedBy(served), sessionMs: 100 };
      expect(await runScenario(scenario, harness)).toEqual({ name: scenario.name, status: 'passed' });
    }, 60_000);

  it('takes what cannot be shown in one process', () => {
    expect(scenarios.map(({ name }) => name)).toEqual([
      'leaves a message with its handler, which takes longer than the session of its member',
      'goes on after a restart of the backend, with nothing lost that was confirmed',
      'goes on when the backend restarts under load, with the keys in order',
      'shares the keys among the processes of a group, one owner a key at a time',
      'handles nothing twice when processes are told to end under load',
      'replaces killed processes: others get what they held, with the keys in order',
      'takes over the log of a process that was killed, when told to stand by',
      'stores each item of a log once, in order, however often its publisher is killed',
      'delivers a delayed message whose publisher is gone',
    ]);
  });
});
