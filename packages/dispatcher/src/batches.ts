import {
  type BatchItem,
  BentoError,
  type BusEvent,
  type EventBatchHandler,
  type EventHandler,
  type Outcome,
} from '@bento-bus/core';
import type { DoneMemory } from './done-memory.ts';
import { HandlersError } from './errors.ts';
import type { HandlerInfo } from './handlers.ts';
import { type TimeLimit, withinLimit } from './time-limit.ts';

type Item = BatchItem<BusEvent>;

/** Something around a batch handler. */
export type BatchHandlerWrapper<E = BusEvent> = (
  next: EventBatchHandler<E>,
  about: HandlerInfo,
) => EventBatchHandler<E>;

/** Handles the events of one type together; one outcome an item, never a rejection. */
export type BatchRunner = (items: readonly Item[], signal: AbortSignal) => Promise<readonly Outcome[]>;

/** Gives a batch handler so much time. */
export const limitedBatch =
  <E>(handler: EventBatchHandler<E>, limit: TimeLimit): EventBatchHandler<E> =>
  (items, given) =>
    withinLimit(limit, given, (signal) =>
      handler(
        items.map(({ event, context }) => ({ event, context: { ...context, signal } })),
        signal,
      ),
    );

/** One batch handler of several, as `together` does it for single events: what succeeded is not shown again to whom it succeeded with. */
export function batchTogether(
  type: string,
  handlers: readonly EventBatchHandler<BusEvent>[],
  memory: DoneMemory,
): BatchRunner {
  const [only] = handlers;
  if (only !== undefined && handlers.length === 1) return (items, signal) => outcomesOf(type, only, items, signal);
  return async (items, signal) => {
    const before = items.map(({ context }) => memory.of(context));
    const failures = items.map((): Map<number, unknown> => new Map());
    const run = async (handler: EventBatchHandler<BusEvent>, number: number): Promise<void> => {
      const left = [...items.keys()].filter((index) => before[index]?.has(number) !== true);
      if (left.length === 0) return;
      const shown = left.map((index) => items[index] as Item);
      for (const [at, outcome] of (await outcomesOf(type, handler, shown, signal)).entries())
        if (!outcome.ok) failures[left[at] as number]?.set(number, outcome.error);
    };
    await Promise.all(handlers.map(run));
    return items.map(({ context }, index): Outcome => {
      const failed = failures[index] as Map<number, unknown>;
      if (failed.size === 0) {
        if (before[index] !== undefined) memory.forget(context);
        return success;
      }
      memory.keep(context, new Set([...handlers.keys()].filter((number) => !failed.has(number))));
      const errors = [...failed].toSorted(([a], [b]) => a - b).map(([, error]) => error);
      return { ok: false, error: errors.length === 1 ? errors[0] : new HandlersError(type, errors) };
    });
  };
}

/** What a type's events go to. */
export type Route = { readonly each: EventHandler<BusEvent> } | { readonly batch: BatchRunner };

/**
 * Handles batches of mixed types. The events of a key keep their order: whatever follows an event of another kind under its key waits
 * for it. Within that, a type's batch handlers get as many of its events at once as there are, and others run key beside key.
 */
export function routeBatches(
  routes: ReadonlyMap<string, Route>,
  ordering: 'key' | 'none',
): EventBatchHandler<BusEvent> {
  const keyOf = ({ context }: Item): string => (ordering === 'key' ? (context.key ?? context.id) : context.id);
  const handleOne = async ({ event, context }: Item): Promise<void> => {
    const route = routes.get(event.type);
    if (route !== undefined && 'each' in route) await route.each(event, context);
  };
  return async (items, signal) => {
    const outcomes: Outcome[] = [];
    const failed = new Set<string>();
    const take = (index: number, outcome: Outcome): void => {
      outcomes[index] = outcome;
      if (!outcome.ok) failed.add(keyOf(items[index] as Item));
    };

    const runBatch = async (batch: BatchRunner, indexes: readonly number[]): Promise<void> => {
      const shown = indexes.map((index) => items[index] as Item);
      for (const [at, outcome] of (await batch(shown, signal)).entries()) take(indexes[at] as number, outcome);
    };
    const runKey = async (indexes: readonly number[]): Promise<void> => {
      for (const index of indexes) {
        const item = items[index] as Item;
        take(index, failed.has(keyOf(item)) ? notHandled : await outcomeOf(handleOne(item)));
      }
    };
    const runSingles = (indexes: readonly number[]): readonly Promise<void>[] =>
      [...groupBy(indexes, (index) => keyOf(items[index] as Item)).values()].map(runKey);

    for (const step of stepsOf(items, routes, keyOf)) {
      const running: Promise<void>[] = [];
      for (const [kind, indexes] of step) {
        const able = indexes.filter((index) => !failed.has(keyOf(items[index] as Item)));
        for (const index of indexes) outcomes[index] = notHandled;
        const route = kind === undefined ? undefined : routes.get(kind);
        if (able.length === 0) continue;
        if (route !== undefined && 'batch' in route) running.push(runBatch(route.batch, able));
        else running.push(...runSingles(able));
      }
      await Promise.all(running);
    }
    return outcomes;
  };
}

/** Indexes by kind, step by step: undefined is the kind of all events that are handled one by one. */
function stepsOf(
  items: readonly Item[],
  routes: ReadonlyMap<string, Route>,
  keyOf: (item: Item) => string,
): readonly ReadonlyMap<string | undefined, readonly number[]>[] {
  const steps: Map<string | undefined, number[]>[] = [];
  const last = new Map<string, { readonly step: number; readonly kind: string | undefined }>();
  for (const [index, item] of items.entries()) {
    const { type } = item.event;
    const route = routes.get(type);
    const kind = route !== undefined && 'batch' in route ? type : undefined;
    const before = last.get(keyOf(item));
    const step = before === undefined ? 0 : before.step + (before.kind === kind ? 0 : 1);
    last.set(keyOf(item), { step, kind });
    const kinds = (steps[step] ??= new Map<string | undefined, number[]>());
    const indexes = kinds.get(kind);
    if (indexes === undefined) kinds.set(kind, [index]);
    else indexes.push(index);
  }
  return steps;
}

async function outcomesOf(
  type: string,
  handler: EventBatchHandler<BusEvent>,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  try {
    const outcomes = await handler(items, signal);
    if (outcomes === undefined) return items.map(() => success);
    if (Array.isArray(outcomes) && outcomes.length === items.length) return outcomes;
    const found = Array.isArray(outcomes) ? `${outcomes.length} outcomes` : 'no array of outcomes';
    throw new BentoError(
      'HANDLER',
      `dispatcher: cannot use what a batch handler of "${type}" returned: ${found} for ${items.length} events. Return nothing, or exactly one outcome an event.`,
    );
  } catch (error) {
    return items.map(() => ({ ok: false, error }));
  }
}

const outcomeOf = (handled: Promise<void>): Promise<Outcome> =>
  handled.then(
    () => success,
    (error: unknown) => ({ ok: false, error }),
  );

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

const success: Outcome = { ok: true };

/** It did not get its turn; lanes bring it again without counting a try. */
const notHandled: Outcome = {
  ok: false,
  error: new BentoError(
    'ABORTED',
    'dispatcher: cannot handle the message: an earlier message of its key failed in the same batch. It will be delivered again.',
    true,
  ),
};
