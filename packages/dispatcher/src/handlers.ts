import {
  type BusEvent,
  type EventContext,
  type EventHandler,
  isPromise,
  type Logger,
  type MaybePromise,
} from '@bento-bus/core';
import type { DoneMemory } from './done-memory.ts';
import { HandlersError } from './errors.ts';
import { type TimeLimit, withinLimit } from './time-limit.ts';

/** What a wrapper is put around. */
export interface HandlerInfo {
  /** The event's type. */
  readonly type: string;
  /** The handler's `name`. */
  readonly name: string;
}

/** Something around a handler: `(next) => async (event, context) => { … await next(event, context); … }`. */
export type HandlerWrapper<E = BusEvent> = (next: EventHandler<E>, about: HandlerInfo) => EventHandler<E>;

/** A wrapper for handlers of any event. */
export type AnyHandlerWrapper = <E extends BusEvent>(next: EventHandler<E>, about: HandlerInfo) => EventHandler<E>;

/** The first wrapper is outermost. */
export const wrapped = <H>(handler: H, use: readonly ((next: H, about: HandlerInfo) => H)[], about: HandlerInfo): H =>
  use.reduceRight((inner, wrap) => wrap(inner, about), handler);

/** Gives a handler so much time. */
export const limited =
  <E>(handler: EventHandler<E>, limit: TimeLimit): EventHandler<E> =>
  (event, context) =>
    withinLimit(limit, context.signal, (signal) => handler(event, { ...context, signal }));

/**
 * One handler of several: all run side by side, whatever the others do, and the whole waits for all. One failure is thrown as it is,
 * several as one {@link HandlersError}. What succeeded beside a failure is remembered and does not run for the next try.
 */
export function together(
  type: string,
  handlers: readonly EventHandler<BusEvent>[],
  memory: DoneMemory,
  logger: Logger,
): EventHandler<BusEvent> {
  // The usual case costs nothing.
  if (handlers.length === 1) return handlers[0] as EventHandler<BusEvent>;

  const settle = (context: EventContext, before: ReadonlySet<number> | undefined, failures: Map<number, unknown>) => {
    if (failures.size === 0) {
      if (before !== undefined) memory.forget(context);
      return;
    }
    memory.keep(context, new Set([...handlers.keys()].filter((index) => !failures.has(index))));
    const errors = [...failures].toSorted(([a], [b]) => a - b).map(([, error]) => error);
    const { topic, id: messageId } = context;
    logger.debug('some handlers of an event failed', { topic, type, messageId, failed: errors.length });
    throw errors.length === 1 ? errors[0] : new HandlersError(type, errors);
  };

  return (event, context): MaybePromise<void> => {
    const before = memory.of(context);
    const failures = new Map<number, unknown>();
    let pending: Promise<void>[] | undefined;
    for (const [index, handler] of handlers.entries()) {
      if (before?.has(index) === true) continue;
      try {
        const result = handler(event, context);
        if (isPromise(result))
          (pending ??= []).push(
            Promise.resolve(result).then(nothing, (error: unknown) => void failures.set(index, error)),
          );
      } catch (error) {
        failures.set(index, error);
      }
    }
    if (pending === undefined) return settle(context, before, failures);
    return Promise.all(pending).then(() => settle(context, before, failures));
  };
}

const nothing = (): void => {};
