import { FaultError, unsafeKey } from '../fault.ts';
import { classes, type Inner, type Resolver, type Tap } from './avsc.ts';
import { leastSize } from './sizes.ts';
import type { GuardedTap } from './tap.ts';

interface Reads {
  readonly _read: ((tap: Tap) => unknown) | null;
}

/** Smallest sizes are known when all types are: at the first value. */
function atFirst(size: () => number): () => number {
  let known = -1;
  return () => {
    if (known === -1) known = size();
    return known;
  };
}

/** Reads items written by `type`. avsc would make an array of whatever count the bytes say, and fill it beyond their end. */
function arrayReader(items: Reads, type: () => Inner): (tap: Tap) => unknown[] {
  const least = atFirst(() => leastSize(type()));
  return (tap) => {
    let count = (tap as GuardedTap).readCount(least(), 1);
    // Made for the first block, in most cases the only one.
    // oxlint-disable-next-line unicorn/no-new-array -- the tap has bounded the count; Array.from fills what is about to be filled
    const values = new Array<unknown>(count);
    for (let i = 0; count !== 0; count = (tap as GuardedTap).readCount(least(), 1))
      for (const end = i + count; i < end; i += 1) values[i] = (items._read as (tap: Tap) => unknown)(tap);
    return values;
  };
}

/** An entry takes as long as three items. */
const entryWeight = 3;

/** The same for entries of maps. */
function mapReader(values: Reads, type: () => Inner): (tap: Tap) => Record<string, unknown> {
  const least = atFirst(() => 1 + leastSize(type()));
  return (tap) => {
    const map: Record<string, unknown> = {};
    for (
      let count = (tap as GuardedTap).readCount(least(), entryWeight);
      count !== 0;
      count = (tap as GuardedTap).readCount(least(), entryWeight)
    )
      for (; count !== 0; count -= 1) {
        const at = tap.pos;
        const key = tap.readString();
        const value = (values._read as (tap: Tap) => unknown)(tap);
        if (isUnsafe(key, value)) throw new FaultError(unsafeKey(key, `byte ${at}`));
        map[key] = value;
      }
    return map;
  };
}

/** Keys that change prototypes when a program copies or merges what was decoded, as for JSON. */
const isUnsafe = (key: string, value: unknown): boolean =>
  key === '__proto__' ||
  (key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'));

function skipBlocks(tap: GuardedTap, least: number, skip: () => void): void {
  // A block that says its size says it of itself: to trust it would be to jump wherever it says, back to the beginning too.
  for (let count = tap.readCount(least, 1); count !== 0; count = tap.readCount(least, 1))
    for (; count !== 0; count -= 1) skip();
}

/** An array that reads no more items than the body can hold. A class of its own for each, as avsc freezes its types. */
export function guardedArray(schema: unknown, options: object): Inner {
  class GuardedArray extends classes.ArrayType {
    override _skip(tap: Tap): void {
      const items = this.itemsType as Inner;
      skipBlocks(tap as GuardedTap, leastSize(items), () => items._skip(tap));
    }

    override _update(resolver: Resolver, writer: Inner, how: object): void {
      if (writer.typeName !== 'array') return;
      const items = (this.itemsType as Inner).createResolver(writer.itemsType as Inner, how);
      resolver.itemsType = items;
      resolver._read = arrayReader(items, () => writer.itemsType as Inner);
    }
  }
  const type = new GuardedArray(schema, options as never);
  GuardedArray.prototype._read = arrayReader(type.itemsType as Inner, () => type.itemsType as Inner);
  return type;
}

/** The same for a map, which also refuses keys that change a prototype, and to write what is no plain object as an empty map. */
export function guardedMap(schema: unknown, options: object): Inner {
  class GuardedMap extends classes.MapType {
    override _check(value: unknown, flags?: number, hook?: unknown, path?: string[]): boolean {
      if (isEntries(value)) return super._check(value, flags, hook, path);
      (hook as ((value: unknown, type: Inner) => void) | undefined)?.(value, this);
      return false;
    }

    override _skip(tap: Tap): void {
      const values = this.valuesType as Inner;
      skipBlocks(tap as GuardedTap, 1 + leastSize(values), () => {
        tap.skipString();
        values._skip(tap);
      });
    }

    override _update(resolver: Resolver, writer: Inner, how: object): void {
      if (writer.typeName !== 'map') return;
      const values = (this.valuesType as Inner).createResolver(writer.valuesType as Inner, how);
      resolver.valuesType = values;
      resolver._read = mapReader(values, () => writer.valuesType as Inner);
    }

    override _write(tap: Tap, value: unknown): void {
      if (!isEntries(value)) throw new TypeError('no entries of a map');
      super._write(tap, value);
    }
  }
  const type = new GuardedMap(schema, options as never);
  GuardedMap.prototype._read = mapReader(type.valuesType as Inner, () => type.valuesType as Inner);
  return type;
}

/** A plain object without keys that reading refuses. */
function isEntries(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The root prototype of any realm, as for JSON.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  return (
    !Object.hasOwn(value, '__proto__') &&
    !(Object.hasOwn(value, 'constructor') && isUnsafe('constructor', (value as Record<string, unknown>)['constructor']))
  );
}
