import assert from 'node:assert/strict';

const few = (ids: readonly string[]): string =>
  ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ') || 'none';

/** Each of the expected ids is there exactly once, and nothing else; in no order. Says what differs, however many there are. */
export function assertSameIds(actual: readonly string[], expected: readonly string[], what: string): void {
  const counts = new Map(expected.map((id) => [id, 0]));
  const foreign = actual.filter((id) => !counts.has(id));
  for (const id of actual) counts.set(id, (counts.get(id) ?? 0) + 1);
  const missing = expected.filter((id) => counts.get(id) === 0);
  const repeated = expected.filter((id) => (counts.get(id) ?? 0) > 1);
  assert.ok(
    missing.length + repeated.length + foreign.length === 0,
    `${what}: missing ${few(missing)}; repeated ${few(repeated)}; foreign ${few(foreign)}`,
  );
}
