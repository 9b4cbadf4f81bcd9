import { type Logger, silentLogger } from '@bento-bus/core';
import type { Instrument } from '../instrument.ts';

/** Keeps what instruments throw away from messages: each kind of fault is logged once. */
export class Faults {
  readonly #logger: Logger;
  readonly #seen = new Set<string>();

  constructor(logger: Logger = silentLogger) {
    this.#logger = logger;
  }

  /** `index`: which instrument; `where`: which of its functions. */
  report(index: number, where: string, error: unknown): void {
    const kind = `${index} ${where}`;
    if (this.#seen.has(kind)) return;
    this.#seen.add(kind);
    this.#logger.error(`observability: instrument ${index + 1} failed in "${where}"; messages go on without it there`, {
      error,
    });
  }

  /** What `fn` gives, undefined if it throws. */
  attempt<T>(index: number, where: string, fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      this.report(index, where, error);
      return undefined;
    }
  }
}

/** A handler, a batch handler or a hook. */
type Handling<D, S, R> = (delivery: D, second: S) => Promise<R>;

const steadyOnes = new WeakSet<Instrument>();

/**
 * Says of an instrument that its handlers and hooks return what they got from the inner one, or a promise made of it, and throw at most
 * before they call it. It costs less to be careful with these.
 */
export function steady<I extends Instrument>(instrument: I): I {
  steadyOnes.add(instrument);
  return instrument;
}
export const isSteady = (instrument: Instrument | undefined): boolean =>
  instrument !== undefined && steadyOnes.has(instrument);

/**
 * `inner` with an instrument around it. What the instrument throws before or after it called `inner`, without a wait between, harms
 * nothing: the message is handled once, as if the instrument were not there.
 */
export function careful<D, S, R>(
  wrap: (inner: Handling<D, S, R>) => Handling<D, S, R>,
  inner: Handling<D, S, R>,
  failed: (error: unknown) => void,
): Handling<D, S, R> {
  // Of the call under way: set and read without a wait between.
  let handled: Promise<R> | undefined;
  const seen: Handling<D, S, R> = (delivery, second) => {
    let outcome: Promise<R>;
    try {
      outcome = inner(delivery, second);
    } catch (error) {
      outcome = Promise.reject(error);
    }
    // After the call: it may have led to another one.
    handled = outcome;
    return outcome;
  };
  let outer: Handling<D, S, R>;
  try {
    outer = wrap(seen);
  } catch (error) {
    failed(error);
    return inner;
  }
  return (delivery, second) => {
    handled = undefined;
    try {
      return outer(delivery, second);
    } catch (error) {
      failed(error);
      return (handled as Promise<R> | undefined) ?? inner(delivery, second);
    }
  };
}

/** The same for a steady instrument, without keeping what `inner` returned: that is dear, as it is new and what keeps it is old. */
export function carefulOfSteady<D, S, R>(
  wrap: (inner: Handling<D, S, R>) => Handling<D, S, R>,
  inner: Handling<D, S, R>,
  failed: (error: unknown) => void,
): Handling<D, S, R> {
  let calls = 0;
  const seen: Handling<D, S, R> = (delivery, second) => {
    calls = (calls + 1) % mostCalls;
    return inner(delivery, second);
  };
  const outer = wrap(seen);
  return (delivery, second) => {
    const before = calls;
    try {
      return outer(delivery, second);
    } catch (error) {
      // Thrown by what is inside: not the instrument's.
      if (calls !== before) throw error;
      failed(error);
      return inner(delivery, second);
    }
  };
}

/** Small integers cost nothing to keep. */
const mostCalls = 2 ** 30;
