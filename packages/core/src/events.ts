import { configurationError } from './configuration.ts';
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
 * Declares a typed catalogue, frozen. Object keys are the wire types; `topic` is where they travel unless an event says otherwise.
 * Throws a `CONFIGURATION` error that names every fault: versions are whole numbers from 1, and each version below the current one
 * needs its `upcast`.
 */
export function defineEvents<const M extends Record<string, StandardSchemaV1>>(
  defaults: { readonly topic: string },
  events: { readonly [K in keyof M]: EventInput<M[K]> },
): { readonly [K in keyof M & string]: EventDefinition<K, InferInput<M[K]>, InferOutput<M[K]>> } {
  const faults: string[] = [];
  const definitions: Record<string, EventDefinition> = {};
  for (const [type, given] of Object.entries<object>(events)) {
    const input = given as EventInput<StandardSchemaV1>;
    const { version, schema, topic = defaults.topic, key, upcast = {} } = input;
    faults.push(...faultsOf(type, { ...input, topic }));
    definitions[type] = Object.freeze({
      type,
      topic,
      version,
      schema,
      upcast: Object.freeze({ ...upcast }),
      ...(key && { key }),
    });
  }
  if (faults.length > 0)
    throw configurationError(`core: cannot define the events of topic "${defaults.topic}"`, faults);
  return Object.freeze(definitions) as {
    readonly [K in keyof M & string]: EventDefinition<K, InferInput<M[K]>, InferOutput<M[K]>>;
  };
}

/** What is wrong with one event, as clauses. Also for callers without types. */
function faultsOf(type: string, input: { readonly [K in keyof EventInput<StandardSchemaV1>]: unknown }): string[] {
  const { version, schema, topic, key, upcast = {} } = input;
  const faults: string[] = [];
  const check = (fine: boolean, fault: string): void => {
    if (!fine) faults.push(`${type === '' ? 'an event' : type}: ${fault}`);
  };
  check(type !== '', 'its type must not be empty');
  check(typeof topic === 'string' && topic !== '', 'topic must be a name, not empty');
  check(isVersion(version), `version must be a whole number from 1, not ${String(version)}`);
  check(isSchema(schema), 'schema must be a Standard Schema (zod, valibot, arktype and others make them)');
  check(key === undefined || typeof key === 'function', 'key must be a function');
  if (typeof upcast !== 'object' || upcast === null)
    return [...faults, `${type}: upcast must be an object of functions`];
  if (!isVersion(version)) return faults;
  const missing = missingUpcasts(upcast as Readonly<Record<number, unknown>>, version);
  check(missing.length === 0, `upcast must have a function for version ${missing.join(', ')}, to the next one`);
  const beyond = Object.keys(upcast).filter((from) => !isVersion(Number(from)) || Number(from) >= version);
  check(
    beyond.length === 0,
    `upcast must have nothing for ${beyond.join(', ')}: older versions are those from 1 to ${version - 1}`,
  );
  return faults;
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

/** The first few versions below the current one without a function. */
function missingUpcasts(upcast: Readonly<Record<number, unknown>>, version: number): number[] {
  const missing: number[] = [];
  for (let from = 1; from < version && missing.length < 10; from += 1) {
    if (typeof upcast[from] !== 'function') missing.push(from);
  }
  return missing;
}

function isSchema(value: unknown): boolean {
  // Schemas may be functions (arktype).
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value))
    return false;
  const standard = value['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  );
}
