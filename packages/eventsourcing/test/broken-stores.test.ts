import { type EventStoreHarness, eventStoreScenarios, runScenario } from '@bento-bus/conformance';
import type { EventStore } from '@bento-bus/core';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createInMemoryEventStore } from '../src/index.ts';
import { failing } from './broken/fails.ts';
import { brokenSeconds } from './broken/seconds.ts';
import { brokenStores } from './broken/stores.ts';
import { type Break, storeOn } from './broken/ways.ts';

/** The first store of a log, and each further one, may be broken in ways of their own. */
interface Breaks {
  readonly store: Break;
  readonly second: Break;
}

function harnessOf({ store: breaks, second }: Breaks, deadlineMs: number): EventStoreHarness {
  const logs = new WeakMap<EventStore, EventStore>();
  const open = (log: EventStore, change: Break): EventStore => {
    const store = storeOn(log);
    const broken = { ...store, ...change(store) };
    logs.set(broken, log);
    return broken;
  };
  return {
    name: 'broken',
    deadlineMs,
    quietMs: 30,
    volume: 1_100,
    createStore: async () => open(createInMemoryEventStore(), breaks),
    createSecond: async (first) => open(logs.get(first) ?? first, second),
  };
}

interface Run {
  readonly name: string;
  readonly breaks: Breaks;
  readonly scenario: (typeof eventStoreScenarios)[number];
  readonly expected: boolean;
}

const passes = async ({ breaks, scenario }: Run, deadlineMs: number): Promise<boolean> => {
  const result = await runScenario(scenario, harnessOf(breaks, deadlineMs));
  return result.status !== 'failed';
};

/** Works a list off, several at a time. */
const each = async <T>(list: T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> => {
  const worker = async (): Promise<void> => {
    for (let item = list.shift(); item !== undefined; item = list.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
};

const well: Break = () => ({});
const all: Readonly<Record<string, Breaks>> = {
  'breaks nothing': { store: well, second: well },
  ...Object.fromEntries(Object.entries(brokenStores).map(([name, one]) => [name, { store: one, second: one }])),
  ...Object.fromEntries(Object.entries(brokenSeconds).map(([name, one]) => [name, { store: well, second: one }])),
};

describe('an event store that', () => {
  const failures = new Map(Object.keys(all).map((name) => [name, [] as string[]]));

  beforeAll(async () => {
    // Conflicts by the ten thousand: their stacks would take most of the time.
    Error.stackTraceLimit = 0;
    const runs = Object.entries(all).flatMap(([name, breaks]) =>
      eventStoreScenarios.map(
        (scenario): Run => ({ name, breaks, scenario, expected: failing[name]?.includes(scenario.name) === true }),
      ),
    );
    const doubtful: Run[] = [];
    await each(runs, 20, async (run) => {
      if (await passes(run, 1_500)) return;
      if (run.expected) failures.get(run.name)?.push(run.scenario.name);
      else doubtful.push(run);
    });
    // With so many at once a scenario may lack time: what should not fail gets plenty of it.
    await each(doubtful, 4, async (run) => {
      if (!(await passes(run, 10_000))) failures.get(run.name)?.push(run.scenario.name);
    });
  }, 180_000);

  for (const name of Object.keys(all))
    it(`${name} fails exactly the scenarios of what it breaks`, () => {
      expect(failures.get(name)?.toSorted()).toEqual((failing[name] ?? []).toSorted());
    });

  it('breaks it exists for every scenario', () => {
    const failed = new Set([...failures.values()].flat());
    expect(eventStoreScenarios.map(({ name }) => name).filter((name) => !failed.has(name))).toEqual([]);
  });
});
