import { type BuildOptions, classes, forSchema, type Inner, type Resolver, type Tap, type TypeHook } from './avsc.ts';
import { guardedArray, guardedMap } from './containers.ts';
import { bigLong, bufferOf, GuardedBytes, GuardedEnum, GuardedFixed, GuardedFloat, GuardedLong } from './scalars.ts';
import type { GuardedTap } from './tap.ts';

/** How schemas become types. */
export interface TypeOptions {
  readonly bigints: boolean;
  readonly logicalTypes?: Readonly<Record<string, unknown>>;
}

/**
 * A schema as a type of avsc whose arrays, maps and recursive records keep the limits of the {@link GuardedTap} that they read from, and
 * which gives plain objects. Throws what avsc does for a schema that is none.
 */
export function typeOf(schema: unknown, { bigints, logicalTypes = {} }: TypeOptions): Inner {
  const long = bigints ? bigLong : () => new GuardedLong();
  return forSchema(schema, {
    registry: bare({ bytes: new GuardedBytes(), float: new GuardedFloat(), long: long() }),
    logicalTypes: bare(logicalTypes),
    // A logical type that does not fit would fall back to a type without guards.
    assertLogicalTypes: true,
    omitRecordMethods: true,
    typeHook: hookFor(long),
  } as never);
}

/** avsc looks names up in plain objects, where "constructor" is always found. */
const bare = <T extends object>(names: T): T => Object.assign(Object.create(null) as T, names);

type Definition = Readonly<Record<string, unknown>>;

function hookFor(long: () => Inner): TypeHook {
  const records = recordsOf();
  /** Logical types whose own constructor is about to ask for the type below them. */
  const pending = new Set<unknown>();
  let plainUnion: unknown;

  const hook: TypeHook = (schema, options) => {
    if (typeof schema === 'string') records.mention(schema, options);
    if (Array.isArray(schema)) {
      if (schema === plainUnion) {
        plainUnion = undefined;
        return undefined;
      }
      plainUnion = schema;
      return guardedUnion(forSchema(schema, options as never), options);
    }
    if (typeof schema !== 'object' || schema === null) return undefined;
    const definition = schema as Definition;
    const { type, logicalType } = definition;
    if (typeof type === 'string' && type in {}) throw new Error(`unknown type: "${type}"`);
    if (typeof logicalType === 'string' && Object.hasOwn(options.logicalTypes ?? {}, logicalType))
      if (!pending.delete(schema)) {
        pending.add(schema);
        return undefined;
      }
    if (type === 'record' || type === 'error') return records.define(definition, options);
    return typeof type === 'string' ? makers(long).get(type)?.(definition, options) : undefined;
  };
  return hook;
}

const makers = (long: () => Inner): ReadonlyMap<string, (schema: Definition, options: BuildOptions) => Inner> =>
  new Map<string, (schema: Definition, options: BuildOptions) => Inner>([
    ['array', guardedArray],
    ['map', guardedMap],
    ['bytes', () => new GuardedBytes()],
    ['enum', (schema, options) => new GuardedEnum(schema, options)],
    ['fixed', (schema, options) => new GuardedFixed(schema, options)],
    ['float', () => new GuardedFloat()],
    ['long', long],
  ]);

/** A union that takes bytes of every kind, and whose wrapped values are plain objects. */
function guardedUnion(union: Inner, options: BuildOptions): Inner {
  if (union.typeName === 'union:wrapped')
    for (const { _branchConstructor: Branch } of union.types ?? []) if (Branch) Branch.prototype = Object.prototype;
  return union._bucketIndices?.['buffer'] === undefined ? union : new BytesUnion(union.types, options);
}

class BytesUnion extends classes.UnwrappedUnionType {
  override _getIndex(value: unknown): number | undefined {
    return super._getIndex(bufferOf(value));
  }
}

/** Each record counts with its fields, as what they hold may take no bytes. */
function spending<R>({ fields }: Inner, read: (tap: Tap) => R): (tap: Tap) => R {
  const count = (fields ?? []).length;
  return (tap) => {
    (tap as GuardedTap).spend(count);
    return read(tap);
  };
}

interface Records {
  define(schema: Definition, options: BuildOptions): Inner;
  /** A name where a type could be: a record that is being defined holds itself. */
  mention(name: string, options: BuildOptions): void;
}

function recordsOf(): Records {
  const beingDefined = new Set<string>();
  const recursive = new Set<string>();

  // No method: avsc calls the others from its constructor.
  const counted = <T extends unknown[], R>(
    { name }: Inner,
    work: (tap: Tap, ...rest: T) => R,
  ): ((tap: Tap, ...rest: T) => R) => {
    if (name === undefined || !recursive.has(name)) return work;
    return (tap, ...rest) => {
      (tap as GuardedTap).enter();
      const result = work(tap, ...rest);
      (tap as GuardedTap).depth += 1;
      return result;
    };
  };

  class GuardedRecord extends classes.RecordType {
    override _createConstructor(errorStack: boolean, plain: boolean): { prototype: unknown } {
      const Record = super._createConstructor(errorStack, plain);
      // What `new Record` makes is a plain object then, and as fast.
      Record.prototype = Object.prototype;
      return Record;
    }

    override _createReader(): (tap: Tap) => unknown {
      return counted(this, spending(this, super._createReader()));
    }

    override _createSkipper(): (tap: Tap) => void {
      // What is skipped may take no bytes either.
      return counted(this, spending(this, super._createSkipper()));
    }

    override _createWriter(): (tap: Tap, value: unknown) => void {
      const write = super._createWriter();
      // Every value would do, as its fields are all missing.
      const checked = (this.fields ?? []).every((field) => hasDefault(field))
        ? (tap: Tap, value: unknown): void => {
            if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('no record');
            write(tap, value);
          }
        : write;
      return counted(this, checked);
    }

    override _update(resolver: Resolver, writer: Inner, how: object): void {
      super._update(resolver, writer, how);
      if (resolver._read !== null) resolver._read = counted(this, spending(this, resolver._read));
    }
  }

  return {
    define(schema, options) {
      const { name, namespace = options.namespace } = schema;
      const full = qualified(String(name), namespace);
      beingDefined.add(full);
      const record = new GuardedRecord(schema, options);
      beingDefined.delete(full);
      return record;
    },
    mention(name, { namespace }) {
      const full = qualified(name, namespace);
      if (beingDefined.has(full)) recursive.add(full);
    },
  };
}

const hasDefault = (field: object): boolean => (field as { defaultValue(): unknown }).defaultValue() !== undefined;

const qualified = (name: string, namespace: unknown): string =>
  name.includes('.') || typeof namespace !== 'string' || namespace === ''
    ? name.replace(/^\./, '')
    : `${namespace}.${name}`;
