import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { eventStoreScenarios } from '../src/event-store/scenarios.ts';
import { transportScenarios } from '../src/transport/scenarios.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const listed = (heading: string): string[] => {
  const section = readme.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  return [...section.matchAll(/^- (.+)$/gm)].map(([, name]) => name ?? '');
};

it('lists every scenario of the transport kit, in order', () => {
  expect(listed('Transport')).toEqual(transportScenarios.map(({ name }) => name));
});

it('lists every scenario of the event store kit, in order', () => {
  expect(listed('Event store')).toEqual(eventStoreScenarios.map(({ name }) => name));
});

it('names each scenario once, so that a skip means one', () => {
  for (const scenarios of [transportScenarios, eventStoreScenarios]) {
    const names = scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
});
