import { configurationError } from '../configuration.ts';
import type { BatchOptions, SubscribeOptions } from '../transport.ts';

/** A subscription's options with every default filled in. Single handling has `size` 1 and `waitMs` 0. */
export type ResolvedSubscribeOptions = Required<SubscribeOptions> & BatchOptions;

const defaults = {
  concurrency: 1,
  startPosition: 'earliest',
  ordering: 'key',
  maxHoldMs: 5_000,
  maxLaneBacklog: 100,
  maxCrashes: 3,
  unreadable: 'fail',
  drainMs: 10_000,
  use: [],
  size: 1,
  waitMs: 0,
} as const satisfies Omit<ResolvedSubscribeOptions, 'group'>;

/**
 * Checks topics and options, fills in the defaults. Throws one `CONFIGURATION` error that names every fault. `adapter` is the package's
 * name, for its text.
 */
export function resolveSubscribeOptions(
  adapter: string,
  topics: readonly string[],
  options: SubscribeOptions & Partial<BatchOptions>,
): ResolvedSubscribeOptions {
  const resolved: ResolvedSubscribeOptions = { ...defaults, ...definedOf(options), group: options.group };
  const faults: string[] = [];
  const check = (fine: boolean, fault: string): void => {
    if (!fine) faults.push(fault);
  };
  const whole = (name: 'concurrency' | 'maxLaneBacklog' | 'maxCrashes' | 'size', least: number): void =>
    check(
      Number.isSafeInteger(resolved[name]) && resolved[name] >= least,
      `${name} must be a whole number from ${least}, not ${String(resolved[name])}`,
    );
  const span = (name: 'maxHoldMs' | 'drainMs' | 'waitMs'): void =>
    check(
      Number.isFinite(resolved[name]) && resolved[name] >= 0,
      `${name} must be a number of milliseconds from 0, not ${String(resolved[name])}`,
    );

  check(Array.isArray(topics) && topics.length > 0, 'topics must name at least one topic');
  check(Array.isArray(topics) && topics.every(isName), 'topics must be names, not empty');
  check(isName(resolved.group), 'group must be a name, not empty');
  whole('concurrency', 1);
  whole('maxLaneBacklog', 0);
  whole('maxCrashes', 1);
  whole('size', 1);
  span('maxHoldMs');
  span('drainMs');
  span('waitMs');
  check(['key', 'none'].includes(resolved.ordering), `ordering must be 'key' or 'none', not ${resolved.ordering}`);
  check(
    ['fail', 'skip'].includes(resolved.unreadable as string) || typeof resolved.unreadable === 'function',
    `unreadable must be 'fail', 'skip' or a function, not ${String(resolved.unreadable)}`,
  );
  check(
    isStartPosition(resolved.startPosition),
    "startPosition must be 'earliest', 'latest' or { time: epoch milliseconds }",
  );
  check(
    Array.isArray(resolved.use) && resolved.use.every((one) => typeof one === 'function'),
    'use must be a list of middleware functions',
  );
  if (faults.length > 0) throw configurationError(`${adapter}: cannot subscribe group "${resolved.group}"`, faults);
  return resolved;
}

/** Without the fields that say `undefined`, which would hide a default. */
function definedOf<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const isName = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

function isStartPosition(value: unknown): boolean {
  if (value === 'earliest' || value === 'latest') return true;
  return typeof value === 'object' && value !== null && 'time' in value && Number.isFinite(value.time);
}
