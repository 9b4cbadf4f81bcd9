import { setImmediate } from 'node:timers/promises';
import { type Codec, configurationError, type Transport } from '@bento-bus/core';
import { Ledger } from './ledger.ts';
import { recording } from './recording.ts';
import { type RecordList, recordList } from './records.ts';
import { type HarnessClock, waitUntil } from './waiting.ts';

/** Options of {@link createHarness}. */
export interface HarnessOptions<T extends Transport = Transport> {
  /** Under test; the harness does not close it. */
  readonly transport: T;
  /** The virtual clock that the transport was given: waiting moves it. @default none: real time is waited for */
  readonly clock?: HarnessClock;
  /** To read bodies with. @default none */
  readonly codec?: Codec;
  /** How long waits take at most, in real time. Below the limits of jest and vitest, so that it is the harness that says what is missing. Milliseconds. @default 4_000 */
  readonly timeoutMs?: number;
}

/** Options of one wait. */
export interface HarnessWaitOptions {
  /** Milliseconds of real time. @default the harness's */
  readonly timeoutMs?: number;
  /** What is waited for, for the error's text. */
  readonly what?: string;
}

/** What happened on a transport, and a way to wait until all has. */
export interface TestHarness<T extends Transport = Transport> {
  /** Give this to whatever is tested, in place of the transport. */
  readonly transport: T;
  /** Stored, by anybody: handlers, middleware, relays. */
  readonly published: RecordList;
  /** Handled: the handler itself has succeeded. */
  readonly consumed: RecordList;
  /** Tries in place that failed and were followed by another, and copies on `<topic>-<group>-RETRY`. */
  readonly retried: RecordList;
  /** Copies on `<topic>-<group>-DLQ`. */
  readonly deadLettered: RecordList;
  /** Every try that failed, with its error. */
  readonly failed: RecordList;
  /**
   * Resolves when every message published so far to topics that are subscribed to here is acknowledged by each of their groups, and so
   * is all that was published meanwhile: by handlers, to retry topics, delayed. A dead letter is acknowledged by the group that gave it
   * up. Groups whose members have all closed do not count. Rejects with `TIMEOUT` and a list of what is pending, and with `ABORTED` when a
   * subscription has ended by a fault.
   */
  allHandled(options?: HarnessWaitOptions): Promise<void>;
  /** Waits until `predicate` returns anything but false and does not throw: a comparison or an assertion. Rejects as `allHandled` does. */
  waitFor(predicate: (harness: TestHarness<T>) => unknown, options?: HarnessWaitOptions): Promise<void>;
  /** Forgets what was recorded, and what is pending. */
  reset(): void;
}

/**
 * Records everything that passes a transport, for tests of what uses it, with any test runner. The same test runs in process, where a
 * virtual clock makes delays and backoffs take no time, and on a broker.
 *
 * All publishers and members of the groups must use `harness.transport`. Messages are known by their ids: topics in a format that does
 * not carry them (`plain`) are recorded, but `allHandled` cannot see them handled. Throws `CONFIGURATION`.
 */
export function createHarness<T extends Transport>(options: HarnessOptions<T>): TestHarness<T> {
  check(options);
  const { transport, clock, codec, timeoutMs = 4_000 } = options;
  const ledger = new Ledger(clock === undefined ? Date.now : () => clock.now());

  const wait = (what: string, predicate: () => unknown, given: HarnessWaitOptions): Promise<void> =>
    waitUntil({
      ledger,
      clock,
      what: given.what ?? what,
      timeoutMs: given.timeoutMs ?? timeoutMs,
      check: predicate,
    });

  /** What was just acknowledged may have left something behind that begins a turn later. */
  const isDone = async (): Promise<boolean> => {
    if (ledger.fault !== undefined || !ledger.isDone) return false;
    const { version } = ledger;
    await setImmediate();
    return ledger.version === version;
  };

  const harness: TestHarness<T> = {
    transport: recording(transport, ledger),
    get published() {
      return recordList(ledger.published, codec);
    },
    get consumed() {
      return recordList(ledger.consumed, codec);
    },
    get retried() {
      return recordList(ledger.retried, codec);
    },
    get deadLettered() {
      return recordList(ledger.deadLettered, codec);
    },
    get failed() {
      return recordList(ledger.failed, codec);
    },
    allHandled: (given = {}) => wait('all is handled', isDone, given),
    waitFor: (predicate, given = {}) => wait('what was waited for has come', () => predicate(harness), given),
    reset: () => ledger.reset(),
  };
  return harness;
}

function check({ transport, clock, timeoutMs = 1 }: { readonly [K in keyof HarnessOptions]: unknown }): void {
  const faults: string[] = [];
  if (!has(transport, 'publish', 'subscribe', 'subscribeBatch')) faults.push('transport must be a Transport');
  if (clock !== undefined && !has(clock, 'now', 'advance'))
    faults.push('clock must have now() and advance(ms), as createVirtualClock() makes one');
  if (!Number.isFinite(timeoutMs) || (timeoutMs as number) <= 0)
    faults.push(`timeoutMs must be a number of milliseconds above 0, not ${String(timeoutMs)}`);
  if (faults.length > 0) throw configurationError('conformance: cannot create the harness', faults);
}

const has = (value: unknown, ...methods: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
