import { runScenario, type TransportHarness, transportScenarios } from '@bento-bus/conformance';
import type { Transport } from '@bento-bus/core';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createInProcessTransport } from '../src/index.ts';
import { findings } from './broken/costly.ts';
import { failing } from './broken/fails.ts';
import { brokenTransports } from './broken/transports.ts';
import { type Break, eachOptions } from './broken/ways.ts';
import { inProcess } from './kit.ts';
import { pool } from './pool.ts';

const harnessOf = (breaks: Break, deadlineMs: number, made: Transport[]): TransportHarness => ({
  ...inProcess,
  deadlineMs,
  volume: 1_000,
  createTransport: async () => {
    const transport = createInProcessTransport();
    made.push(transport);
    const hasty = { ...transport, ...eachOptions(({ drainMs = 100 }) => ({ drainMs }))(transport) };
    return { ...hasty, ...breaks(hasty) };
  },
});

interface Run {
  readonly name: string;
  readonly breaks: Break;
  readonly scenario: (typeof transportScenarios)[number];
  readonly expected: boolean;
}

const passes = async ({ breaks, scenario }: Run, deadlineMs: number): Promise<boolean> => {
  const made: Transport[] = [];
  const result = await runScenario(scenario, harnessOf(breaks, deadlineMs, made));
  // Some cannot close themselves.
  for (const transport of made) transport.close().catch(() => {});
  return result.status !== 'failed';
};

/** What is under load or has processes is too costly for all breaks: broken-costly.test.ts breaks each of them once. */
const scenarios = transportScenarios.filter(({ name }) => findings.every(({ scenario }) => scenario !== name));

const all: Readonly<Record<string, Break>> = { 'breaks nothing': () => ({}), ...brokenTransports };

describe('a transport that', () => {
  const failures = new Map(Object.keys(all).map((name) => [name, [] as string[]]));

  beforeAll(async () => {
    const runs = Object.entries(all).flatMap(([name, breaks]) =>
      scenarios.map(
        (scenario): Run => ({ name, breaks, scenario, expected: failing[name]?.includes(scenario.name) === true }),
      ),
    );
    const doubtful: Run[] = [];
    await pool(runs, 40, async (run) => {
      if (await passes(run, 1_000)) return;
      if (run.expected) failures.get(run.name)?.push(run.scenario.name);
      else doubtful.push(run);
    });
    // With so many at once a scenario may lack time: what should not fail gets plenty of it.
    await pool(doubtful, 4, async (run) => {
      if (!(await passes(run, 10_000))) failures.get(run.name)?.push(run.scenario.name);
    });
  }, 180_000);

  for (const name of Object.keys(all))
    it(`${name} fails exactly the scenarios of what it breaks`, () => {
      expect(failures.get(name)?.toSorted()).toEqual((failing[name] ?? []).toSorted());
    });

  it('breaks it exists for every scenario', () => {
    const failed = new Set([...failures.values()].flat());
    expect(scenarios.map(({ name }) => name).filter((name) => !failed.has(name))).toEqual([]);
  });
});
