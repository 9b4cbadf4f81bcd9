import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { adminScenarios } from '../src/admin/scenarios.ts';
import { eventStoreScenarios } from '../src/event-store/scenarios.ts';
import { idempotencyStoreScenarios } from '../src/idempotency/scenarios.ts';
import { transportScenarios } from '../src/transport/scenarios.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const listed = (heading: string): string[] => {
  const section = readme.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  return [...section.matchAll(/^- (.+)$/gm)].map(([, name]) => name ?? '');
};

it('lists every scenario of the transport kit, in order', () => {
  expect(listed('Transport')).toEqual(transportScenarios.map(({ name }) => name));
});

it('lists every scenario of the admin kit, in order', () => {
  expect(listed('Administration')).toEqual(adminScenarios.map(({ name }) => name));
});

it('lists every scenario of the event store kit, in order', () => {
  expect(listed('Event store')).toEqual(eventStoreScenarios.map(({ name }) => name));
});

it('lists every scenario of the idempotency store kit, in order', () => {
  expect(listed('Idempotency store')).toEqual(idempotencyStoreScenarios.map(({ name }) => name));
});

it('shows each promise of docs/contract.md by scenarios and tests that exist', () => {
  const root = new URL('../../../', import.meta.url);
  const contract = readFileSync(new URL('docs/contract.md', root), 'utf8');
  const lists = [...contract.matchAll(/\nShown by\n+((?:- .+\n)+)/g)].map(([, list]) => list ?? '');
  expect(lists.length).toBe(contract.split('\n## ').length - 1);
  const shown = lists.flatMap((list) => [...list.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? ''));
  const names = new Set(transportScenarios.map(({ name }) => name));
  const exists = (text: string): boolean => (text.includes('/') ? existsSync(new URL(text, root)) : names.has(text));
  const options = new Set(['duplicatesMs', 'restartDuplicatesMs', 'attemptsMs']);
  expect(shown.filter((text) => !exists(text) && !options.has(text))).toEqual([]);
});

it('names each scenario once, so that a skip means one', () => {
  for (const scenarios of [transportScenarios, adminScenarios, eventStoreScenarios, idempotencyStoreScenarios]) {
    const names = scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
});
