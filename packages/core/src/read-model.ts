import type { Closeable } from './message.ts';

/** Column types: `decimal` is an exact decimal string (38 digits, 10 after the point), `integer` a safe integer, `time` epoch milliseconds UTC, `date` `YYYY-MM-DD`. */
export type ColumnType = 'string' | 'integer' | 'decimal' | 'time' | 'date';
/** How a column's value looks in a row. */
export type ColumnValue<T extends ColumnType> = T extends 'integer' | 'time' ? number : string;

/** A read model: a table whose rows are pure functions of a stream prefix. Made by {@link defineReadModel}. */
export interface ReadModel<C extends Readonly<Record<string, ColumnType>> = Readonly<Record<string, ColumnType>>> {
  readonly name: string;
  /** A new version is a new table, filled by a rebuild. */
  readonly version: number;
  /**
   * Columns that identify a row; of rows with equal keys the one with the highest stream version counts. That they are columns is
   * checked by {@link defineReadModel}: a `keyof C` here would make no model assignable to `ReadModel`.
   */
  readonly key: readonly string[];
  readonly columns: C;
}
/** A row of a read model. */
export type RowOf<M> = M extends ReadModel<infer C> ? { readonly [K in keyof C]: ColumnValue<C[K]> } : never;
/** A row to write, with the version of the stream prefix that it is a function of. */
export type VersionedRow<M> = { readonly row: RowOf<M>; readonly streamVersion: number };
/** Equality on columns; an array means any of. */
export type Where<M> = { readonly [K in keyof RowOf<M>]?: RowOf<M>[K] | readonly RowOf<M>[K][] };

/** Query half: what query handlers depend on. */
export interface ReadModelPort {
  /** Rows of the given keys (values of the key columns), in no order; missing ones are left out. */
  get<M extends ReadModel>(model: M, keys: readonly Partial<RowOf<M>>[]): Promise<VersionedRow<M>[]>;
  /** Rows by filter, ordered by key, `limit` at most (default 100) after the row with key `after`. */
  find<M extends ReadModel>(
    model: M,
    options?: { readonly where?: Where<M>; readonly limit?: number; readonly after?: Partial<RowOf<M>> },
  ): Promise<RowOf<M>[]>;
  /** Exact sums and row counts per group; `by` empty: one line over all. */
  totals<M extends ReadModel, B extends keyof RowOf<M> & string, S extends keyof RowOf<M> & string>(
    model: M,
    options: { readonly by?: readonly B[]; readonly sum: readonly S[]; readonly where?: Where<M> },
  ): Promise<({ readonly [K in B]: RowOf<M>[K] } & { readonly [K in S]: string } & { readonly count: number })[]>;
}

/** Write half, for projections. */
export interface ReadModelStore extends ReadModelPort, Closeable {
  /** Creates what is missing; idempotent, safe from several processes. A table of this name that is not ours is a `CONFIGURATION` error. */
  ensure(models: readonly ReadModel[]): Promise<void>;
  /** Resolves once the rows survive a crash. Writing a row again, or an older version of it, changes nothing that a query sees. */
  write<M extends ReadModel>(model: M, rows: readonly VersionedRow<M>[]): Promise<void>;
  /** Empties the model for a rebuild. */
  clear(model: ReadModel): Promise<void>;
}

/** Declares a read model; the row's type follows from the columns. */
export const defineReadModel = <const C extends Readonly<Record<string, ColumnType>>>(
  model: ReadModel<C> & { readonly key: readonly (keyof NoInfer<C> & string)[] },
): ReadModel<C> => model;
