import avsc from 'avsc';

/** The reader and writer that types of avsc share: it stays silent at the end of its bytes, and goes on. */
export interface Tap {
  buf: Buffer;
  pos: number;
  readLong(): number;
  readInt(): number;
  readString(): string;
  skipLong(): void;
  skipString(): void;
  writeLong(value: number): void;
  writeFixed(bytes: Buffer, length?: number): void;
  writeString(text: string): void;
  unpackLongBytes(): Buffer;
}

export interface Resolver {
  _read: ((tap: Tap) => unknown) | null;
  itemsType: Resolver | null;
  valuesType: Resolver | null;
}

/** What the types of avsc have beside their documented methods, unchanged in all of 5.x, and how avsc's own logical types reach them. */
export interface Inner {
  readonly typeName: string;
  readonly name?: string;
  readonly branchName?: string;
  readonly types?: readonly Inner[];
  readonly symbols?: readonly string[];
  readonly size?: number;
  readonly itemsType?: Inner;
  readonly valuesType?: Inner;
  readonly underlyingType?: Inner;
  readonly fields?: readonly { readonly name: string; readonly type: Inner }[];
  readonly recordConstructor?: { prototype: unknown };
  readonly _indices?: Readonly<Record<string, unknown>>;
  readonly _branchConstructor?: { prototype: unknown } | null;
  readonly _bucketIndices?: Readonly<Record<string, number>>;
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
  _write(tap: Tap, value: unknown): void;
  _check(value: unknown, flags?: number, hook?: unknown, path?: string[]): boolean;
  _getIndex(value: unknown): number | undefined;
  _update(resolver: Resolver, type: Inner, options: object): void;
  isValid(value: unknown, options: object): boolean;
  equals(type: Inner): boolean;
  createResolver(type: Inner, options?: object): Resolver;
}

/** Options as avsc hands them to its hook, with what it has defined so far. */
export interface BuildOptions {
  readonly registry: Record<string, Inner | undefined>;
  readonly logicalTypes?: Readonly<Record<string, unknown>>;
  namespace?: string;
}

type Constructor<T = Inner> = new (schema?: unknown, options?: BuildOptions) => T;

/** A record makes its functions while it is constructed. */
interface RecordInner extends Inner {
  _createConstructor(errorStack: boolean, plain: boolean): { prototype: unknown };
  _createReader(): (tap: Tap) => unknown;
  _createSkipper(): (tap: Tap) => void;
  _createWriter(): (tap: Tap, value: unknown) => void;
}

/** The same classes as avsc declares them, with what they have. */
export const classes: {
  readonly ArrayType: Constructor;
  readonly MapType: Constructor;
  readonly RecordType: Constructor<RecordInner>;
  readonly BytesType: Constructor;
  readonly EnumType: Constructor;
  readonly FixedType: Constructor;
  readonly FloatType: Constructor;
  readonly LongType: Constructor;
  readonly UnwrappedUnionType: Constructor;
} = avsc.types as never;

/** A long of another class than number, by avsc's own means. */
export const longWith = (methods: object): Inner => avsc.types.LongType.__with(methods) as unknown as Inner;

/** A schema as a type. Throws what avsc does. */
export const forSchema = (schema: unknown, options: BuildOptions & { readonly typeHook: TypeHook }): Inner =>
  avsc.Type.forSchema(schema as avsc.Schema, options as never) as unknown as Inner;

export type TypeHook = (schema: unknown, options: BuildOptions) => Inner | undefined;

/** The class of the taps, which avsc does not export: they are what it hands to its types. */
export const TapClass: new (bytes: Buffer, position?: number) => Tap = (() => {
  let found: unknown;
  class Probe extends (avsc.types.NullType as unknown as Constructor) {
    override _read(tap: Tap): null {
      found = tap.constructor;
      return null;
    }
  }
  (new Probe() as unknown as avsc.Type).fromBuffer(Buffer.alloc(0));
  return found as new (
    bytes: Buffer,
    position?: number,
  ) => Tap;
})();
