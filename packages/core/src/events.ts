import type { InferInput, InferOutput, StandardSchemaV1 } from './standard-schema.ts';

/** One event type of a catalogue: what travels under `type` on `topic`. Made by {@link defineEvents}. */
export interface EventDefinition<Type extends string = string, Input = unknown, Output = unknown> {
  readonly type: Type;
  readonly topic: string;
  /** Schema version that publishers write. */
  readonly version: number;
  readonly schema: StandardSchemaV1;
  /** Messages of one key are handled in order. Without it the message's id is the key. */
  key?(data: Output): string;
  readonly upcast: Readonly<Record<number, (old: never) => unknown>>;
  readonly '~input'?: Input;
  readonly '~output'?: Output;
}

/** What a user says of one event type. */
export interface EventInput<S extends StandardSchemaV1> {
  readonly version: number;
  readonly schema: S;
  /** @default the topic of the catalogue */
  readonly topic?: string;
  readonly key?: (data: NoInfer<InferOutput<S>>) => string;
  /** `upcast[n]` turns the data of version n into version n + 1, before validation. */
  readonly upcast?: Readonly<Record<number, (old: never) => unknown>>;
}

/** A catalogue: object keys are the wire types. */
export type EventCatalogue = Readonly<Record<string, EventDefinition>>;

/** The event that handlers of a definition see. */
export interface BusEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** The union of events of some definitions, narrowed by `type`. */
export type EventOf<D> = D extends EventDefinition<infer Type, unknown, infer Output> ? BusEvent<Type, Output> : never;

/**
 * Declares a typed catalogue. Object keys are the wire types; `topic` is where they travel unless an event says otherwise.
 * Throws a `CONFIGURATION` error that names every fault: versions are whole numbers from 1, and each version below the current one needs its `upcast`.
 */
export function defineEvents<const M extends Record<string, StandardSchemaV1>>(
  defaults: { readonly topic: string },
  events: { readonly [K in keyof M]: EventInput<M[K]> },
): { readonly [K in keyof M & string]: EventDefinition<K, InferInput<M[K]>, InferOutput<M[K]>> } {
  throw new Error(`to be written: ${defaults.topic} ${Object.keys(events).length}`);
}
