import { type BatchOptions, type BusSubscribeOptions, configurationError, type Logger } from '@bento-bus/core';
import type { Clock } from '@bento-bus/core/adapter';
import type { BatchHandlerWrapper } from './batches.ts';
import type { AnyHandlerWrapper, HandlerWrapper } from './handlers.ts';
import { faultOfLimit } from './time-limit.ts';
import { type UnknownPolicy, unknownPolicies } from './unknown.ts';

/** Options of `createDispatcher`. */
export interface DispatcherOptions {
  /** What becomes of types without a handler. @default 'ignore' */
  readonly unknown?: UnknownPolicy;
  /** How long each handler may take, where it does not say itself. Milliseconds. @default no limit */
  readonly timeoutMs?: number;
  /** Around every handler of `on`, outside of its own; the first is outermost. Batch handlers and responders have their own. @default none */
  readonly use?: readonly AnyHandlerWrapper[];
  /** @default silentLogger */
  readonly logger?: Logger;
  /** Time of the limits; in tests the transport's. @default the machine's */
  readonly clock?: Clock;
}

/** Options of a handler. */
export interface HandlerOptions<E> {
  /**
   * How long it may take. Then the `signal` of its context aborts and the delivery fails with a retryable `TIMEOUT`; a handler that goes
   * on all the same may overlap with its next try. Milliseconds. @default the dispatcher's
   */
  readonly timeoutMs?: number;
  /** Around this handler, within its time limit; the first is outermost. @default none */
  readonly use?: readonly HandlerWrapper<E>[];
  /** For error texts and wrappers. @default the function's name */
  readonly name?: string;
}

/** Options of a batch handler; its time is that of a batch. */
export interface BatchHandlerOptions<E> extends Omit<HandlerOptions<E>, 'use'> {
  /** Around this handler, within its time limit; the first is outermost. @default none */
  readonly use?: readonly BatchHandlerWrapper<E>[];
}

/** Options of a dispatcher's subscription. */
export interface DispatchOptions extends BusSubscribeOptions, Partial<BatchOptions> {
  /** With batch handlers: the largest batch. Required then. */
  readonly size?: number;
  /** With batch handlers: how long a batch that is not full is waited for. Milliseconds. @default 10 */
  readonly waitMs?: number;
}

export const defaultWaitMs = 10;

/** Throws a `CONFIGURATION` error that names every fault. */
export function checkDispatcherOptions({
  unknown,
  timeoutMs,
  use = [],
}: Omit<DispatcherOptions, 'unknown' | 'use'> & { readonly unknown?: string; readonly use?: unknown }): void {
  const faults: string[] = [];
  if (unknown !== undefined && !(unknownPolicies as readonly string[]).includes(unknown))
    faults.push(`unknown must be 'ignore', 'fail' or 'dead-letter', not ${unknown}`);
  const limit = faultOfLimit('timeoutMs', timeoutMs);
  if (limit !== undefined) faults.push(limit);
  if (!areFunctions(use)) faults.push('use must be a list of functions');
  if (faults.length > 0) throw configurationError('dispatcher: cannot create the dispatcher', faults);
}

/** Faults of one registration, as clauses. */
export function faultsOfHandler(
  handler: unknown,
  { timeoutMs, use = [] }: { readonly timeoutMs?: number | undefined; readonly use?: unknown },
): string[] {
  const faults: string[] = [];
  if (typeof handler !== 'function') faults.push('its handler must be a function');
  const limit = faultOfLimit('timeoutMs', timeoutMs);
  if (limit !== undefined) faults.push(limit);
  if (!areFunctions(use)) faults.push('use must be a list of functions');
  return faults;
}

const areFunctions = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'function');
