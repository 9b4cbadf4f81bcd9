import type { CodecContext } from '@bento-bus/core';
import type { Fault } from './fault.ts';

/** Something for each type and version of messages. */
export type ByVersion<T> = ReadonlyMap<string, ReadonlyMap<number, T>>;

/** What callers give: one thing, which is version 1, or one for each version. */
export type Versions<T> = Readonly<Record<string, T | Readonly<Record<number, T>>>>;

/**
 * Makes it of what is given. `isOne` tells one thing from several; `make` may throw, and its message becomes a fault of the options under
 * the name of the option.
 */
export function byVersion<T, R>(
  option: string,
  given: Versions<T>,
  isOne: (value: T | Readonly<Record<number, T>>) => value is T,
  make: (value: T) => R,
  faults: string[],
): ByVersion<R> {
  const made = new Map<string, Map<number, R>>();
  const entries = Object.entries((given as Versions<T> | undefined) ?? {});
  if (entries.length === 0) faults.push(`${option} is empty`);
  for (const [type, one] of entries) {
    const versions = new Map<number, R>();
    made.set(type, versions);
    if (Object.keys(one as object).length === 0) faults.push(`${option}["${type}"] is empty`);
    for (const [key, value] of isOne(one) ? [['1', one] as const] : Object.entries(one)) {
      const version = Number(key);
      if (!Number.isInteger(version) || version < 1) faults.push(`${option}["${type}"] has no version "${key}"`);
      else
        try {
          versions.set(version, make(value));
        } catch (error) {
          faults.push(`${option}["${type}"][${key}]: ${error instanceof Error ? error.message : String(error)}`);
        }
    }
  }
  return made;
}

/** Nothing is known of a message's type and version; names what is. */
export function unknownVersion(option: string, known: ByVersion<unknown>, { type, version }: CodecContext): Fault {
  const versions = known.get(type);
  const names = versions === undefined ? [...known.keys()] : [...versions.keys()].map((one) => `version ${one}`);
  return {
    problem: `there is no schema for its version ${version} (there is ${names.slice(0, 10).join(', ') || 'none'})`,
    advice: `Add it to ${option}.`,
  };
}
