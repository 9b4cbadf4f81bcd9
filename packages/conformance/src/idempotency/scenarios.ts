import assert from 'node:assert/strict';
import { rejection } from '../errors.ts';
import { describeScenarios, type TestRunner } from '../runner.ts';
import { type IdempotencyStoreScenario, scenario, ttlMs } from './context.ts';
import type { IdempotencyStoreHarness } from './harness.ts';

const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

const strange: readonly string[] = [
  ' ',
  'a',
  'a ',
  'A',
  'a\nb',
  "'; DROP TABLE x; --",
  '\\ " \' ` / \b\f\r\t \u0000 \u2028 {p:String} %s $1 <>&',
  'Grüße',
  'a\u0308',
  '🚚',
  '/orders\nid-1',
  'x'.repeat(5_000),
];

/** All promises of the idempotency store port. */
export const idempotencyStoreScenarios: readonly IdempotencyStoreScenario[] = [
  scenario('knows what was marked as handled, and nothing else', [], async (c) => {
    assert.deepEqual(await c.known(['a', 'b']), []);
    await c.store.mark(c.scope, ['a']);
    assert.deepEqual(await c.known(['a', 'b']), ['a']);
    await c.store.mark(c.scope, ['b', 'c']);
    assert.deepEqual(await c.known(['a', 'b', 'c', 'd']), ['a', 'b', 'c']);
  }),

  scenario('keeps scopes apart', [], async (c) => {
    await c.store.mark(c.scope, ['1b']);
    for (const scope of [`${c.scope}1`, c.scope.slice(0, -1), c.scope.toUpperCase()])
      assert.deepEqual(await c.known(['1b', 'b', ''], { scope }), [], scope);
    await c.store.mark(`${c.scope}1`, ['b', '1b']);
    assert.deepEqual(await c.known(['b', '1b']), ['1b']);
  }),

  scenario('takes ids of any content as they are', [], async (c) => {
    for (const [index, id] of strange.entries()) {
      assert.deepEqual(await c.known(strange), strange.slice(0, index), 'before');
      await c.store.mark(c.scope, [id]);
    }
    assert.deepEqual(await c.known(strange), strange);
  }),

  scenario('takes nothing, and one id several times', [], async (c) => {
    await c.store.mark(c.scope, []);
    assert.deepEqual(await c.known([]), []);
    await c.store.mark(c.scope, ['a', 'a', 'b']);
    await c.store.mark(c.scope, ['a']);
    assert.deepEqual([...(await c.store.handled(c.scope, ['a', 'a', 'c']))], ['a']);
  }),

  scenario('takes many ids in one call', [], async (c) => {
    const ids = numbered('id-', 2_500);
    await c.store.mark(c.scope, ids);
    assert.deepEqual(await c.known([...numbered('no-', 500), ...ids]), ids);
  }),

  scenario('answers many calls at once, each for itself', [], async (c) => {
    const ids = numbered('id-', 400);
    const [marked, others] = [ids.slice(0, 200), ids.slice(200)];
    await Promise.all(marked.map((id, index) => c.store.mark(`${c.scope}-${index % 3}`, [id])));
    const answers = await Promise.all(
      ids.map((id, index) => c.known([id, 'other'], { scope: `${c.scope}-${index % 3}` })),
    );
    assert.deepEqual(
      answers.flatMap((answer) => answer),
      marked,
    );
    await Promise.all(others.map((id) => c.store.mark(c.scope, [id])));
    assert.deepEqual(await c.known(ids), others);
  }),

  scenario('forgets what was marked longer ago than its time', [], async (c) => {
    await c.store.mark(c.scope, ['old', 'renewed']);
    c.now += ttlMs - 10_000;
    assert.deepEqual(await c.known(['old', 'renewed']), ['old', 'renewed']);
    await c.store.mark(c.scope, ['renewed', 'new']);
    c.now += 20_000;
    assert.deepEqual(await c.known(['old', 'renewed', 'new']), ['renewed', 'new']);
    await c.store.mark(c.scope, ['old']);
    assert.deepEqual(await c.known(['old']), ['old']);
  }),

  scenario('shows another store what this one marked, and the other way round', ['second'], async (c) => {
    const second = await c.second();
    await c.store.mark(c.scope, ['a']);
    assert.deepEqual(await c.known(['a', 'b'], { store: second }), ['a']);
    await second.mark(c.scope, ['b']);
    assert.deepEqual(await c.known(['a', 'b']), ['a', 'b']);
  }),

  scenario('keeps what was marked when the store that marked it is closed', ['second'], async (c) => {
    await c.store.mark(c.scope, ['a']);
    await c.within('closing', c.store.close());
    assert.deepEqual(await c.known(['a'], { store: await c.second() }), ['a']);
  }),

  scenario('closes once, and refuses everything after close with CLOSED', [], async (c) => {
    await c.store.mark(c.scope, ['a']);
    const first = c.store.close();
    assert.equal(c.store.close(), first, 'a second close returns the same promise');
    await c.within('closing', first);
    await c.within('disposing', Promise.resolve(c.store[Symbol.asyncDispose]()));
    await rejection('handled after close', c.store.handled(c.scope, ['a']), 'CLOSED');
    await rejection('mark after close', c.store.mark(c.scope, ['a']), 'CLOSED');
  }),
];

/**
 * Declares the scenarios of the idempotency store port as tests, a group named after the harness. What the harness does not offer is
 * skipped, with the reason in the test's name. Throws a `CONFIGURATION` error when `harness.skip` names a scenario that does not exist.
 */
export function describeIdempotencyStore(runner: TestRunner, harness: IdempotencyStoreHarness): void {
  describeScenarios(runner, harness.name, idempotencyStoreScenarios, harness);
}
