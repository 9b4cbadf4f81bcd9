import assert from 'node:assert/strict';
import type { Message } from '@bento-bus/core';

/** One call of a handler, here or in another process. */
export interface Call {
  readonly id: string;
  readonly attempt: number;
  /** Which of several handlers, or processes. */
  readonly by: string;
  /** Moments on one counter for all calls; `end` is undefined while the handler is at work. */
  readonly start: number;
  end: number | undefined;
  /** It rejected. */
  failed: boolean;
  /** Its process died first. */
  died?: boolean;
}

type Keyed = Pick<Message, 'id' | 'key'>;

const keysOf = (messages: readonly Keyed[]): ReadonlyMap<string, string> =>
  new Map(messages.map(({ id, key }) => [id, key ?? id]));

/** Items by their group, both in the order given. */
function grouped<T>(items: readonly T[], groupOf: (item: T) => string | undefined): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groupOf(item);
    if (group === undefined) continue;
    const found = groups.get(group);
    if (found === undefined) groups.set(group, [item]);
    else found.push(item);
  }
  return groups;
}

const byEnd = (calls: readonly Call[]): readonly Call[] =>
  calls
    .filter(({ end, failed, died }) => end !== undefined && !failed && died !== true)
    .toSorted((a, b) => (a.end as number) - (b.end as number));

/** No two handlers, whoever called them, were at work on a key at once. */
export function assertOneAtATime(calls: readonly Call[], messages: readonly Keyed[]): void {
  const keys = keysOf(messages);
  for (const [key, ofKey] of grouped(calls, ({ id }) => keys.get(id)))
    for (const [index, call] of ofKey.entries()) {
      const before = ofKey[index - 1];
      assert.ok(
        before === undefined || (before.end !== undefined && before.end < call.start),
        `two handlers were at work on key ${key} at once${before?.by === call.by ? '' : `: one of ${before?.by} and one of ${call.by}`}`,
      );
    }
}

/** The messages of each key were handled in the order given, one after the other, each once. */
export function assertOrderPerKey(calls: readonly Call[], messages: readonly Keyed[]): void {
  assertOneAtATime(calls, messages);
  assertOrder(byEnd(calls), messages);
}

/** Each message was handled, and the messages of each key for the first time in the order given. */
export function assertFirstInOrder(calls: readonly Call[], messages: readonly Keyed[]): void {
  const first = new Map<string, Call>();
  for (const call of byEnd(calls)) if (!first.has(call.id)) first.set(call.id, call);
  assertOrder([...first.values()], messages);
}

function assertOrder(handled: readonly Call[], messages: readonly Keyed[]): void {
  const keys = keysOf(messages);
  const found = grouped(handled, ({ id }) => keys.get(id));
  for (const [key, expected] of grouped(messages, ({ id }) => keys.get(id)))
    assert.deepEqual(
      (found.get(key) ?? []).map(({ id }) => id),
      expected.map(({ id }) => id),
      `order of key ${key}`,
    );
}

/** Calls for a message whose call before had not rejected: it had handled the message, or its process had died; each with the one before. */
export function repeatsOf<C extends Call>(calls: readonly C[]): (readonly [before: C, again: C])[] {
  const last = new Map<string, C>();
  const repeats: (readonly [C, C])[] = [];
  for (const call of calls) {
    const before = last.get(call.id);
    last.set(call.id, call);
    if (before?.failed === false) repeats.push([before, call]);
  }
  return repeats;
}
