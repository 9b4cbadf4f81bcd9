import { configurationError } from '@bento-bus/core';
import { type LimitOptions, resolveLimits } from '../limits.ts';
import type { SchemaRegistry, SchemaText } from '../registry/port.ts';
import { type ByVersion, byVersion, type Versions } from '../versions.ts';
import type { Inner } from './avsc.ts';
import { type TypeOptions, typeOf } from './types.ts';

/** A schema: its JSON as text, or the same as an object (`{ type: 'record', … }`) or array (a union). */
export type AvroSchema = string | { readonly type: unknown } | readonly unknown[];

/** Options of {@link createAvroCodec}. */
export interface AvroCodecOptions extends LimitOptions {
  /** By type and version of the messages: `{ 'order.placed': { 1: first, 2: second } }`. A schema alone is that of version 1. */
  readonly schemas: Versions<AvroSchema>;
  /** Where the schemas of writers are. @default none: bodies carry nothing but the value, and both sides have the same schemas */
  readonly registry?: SchemaRegistry;
  /**
   * A long in the program. `number`: one beyond 2^53 is refused, written or read. `bigint`: every long is a bigint, which takes twice the
   * time. @default 'number'
   */
  readonly longs?: 'number' | 'bigint';
  /**
   * Subclasses of avsc's `types.LogicalType` by the name that schemas have in `logicalType`; a logical type without a class is the type
   * below it. @default none
   */
  readonly logicalTypes?: Readonly<Record<string, new (...args: never[]) => object>>;
}

/** A schema of a version, as text for registries and as a type. */
export interface LocalSchema {
  readonly text: SchemaText;
  readonly type: Inner;
}

export interface ResolvedAvroOptions {
  readonly limits: Required<LimitOptions>;
  readonly registry: SchemaRegistry | undefined;
  readonly schemas: ByVersion<LocalSchema>;
  readonly types: TypeOptions;
}

/** The options with their defaults; throws one `CONFIGURATION` error that names every fault. */
export function resolveAvroOptions(options: AvroCodecOptions): ResolvedAvroOptions {
  const { longs = 'number', logicalTypes = {}, registry, schemas } = options;
  const faults: string[] = [];
  const limits = resolveLimits(options, faults);
  if (!['number', 'bigint'].includes(longs)) faults.push(`longs is "${longs}", wanted is number or bigint`);
  const types: TypeOptions = { bigints: longs === 'bigint', logicalTypes };
  const resolved = byVersion('schemas', schemas, isSchema, (schema) => local(schema, types), faults);
  if (registry !== undefined && (typeof registry.mark !== 'function' || typeof registry.writerOf !== 'function'))
    faults.push('registry must be a SchemaRegistry, such as createConfluentRegistry makes');
  if (faults.length > 0) throw configurationError('codecs: cannot create an "Avro codec"', faults);
  return { limits, registry, schemas: resolved, types };
}

const isSchema = (given: AvroSchema | Readonly<Record<number, AvroSchema>>): given is AvroSchema =>
  typeof given === 'string' || Array.isArray(given) || 'type' in given;

function local(schema: AvroSchema, types: TypeOptions): LocalSchema {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
  return { text: { format: 'AVRO', text }, type: typeOfText(text, types) };
}

/** A schema in JSON as a type. Throws for what is none. */
export function typeOfText(text: string, types: TypeOptions): Inner {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    throw new Error('it is no JSON');
  }
  // Not of the text, which may have it in escapes. A name may begin with a dot.
  if (/"\.?__proto__"/.test(JSON.stringify(schema))) throw new Error('a name "__proto__" would change prototypes');
  return typeOf(schema, types);
}
