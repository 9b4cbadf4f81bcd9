import { configurationError } from '@bento-bus/core';
import { type LimitOptions, resolveLimits } from '../limits.ts';
import type { SchemaRegistry, SchemaText } from '../registry/port.ts';
import { type ByVersion, byVersion, type Versions } from '../versions.ts';
import { type Compiled, Compiler } from './compile.ts';
import type { Longs } from './reader.ts';
import { indexPathOf, type ProtobufType, resolveType } from './schema.ts';

/** Options of {@link createProtobufCodec}. */
export interface ProtobufCodecOptions extends LimitOptions {
  /** By type and version of the messages: `{ 'order.placed': { 1: { proto, message: 'shop.OrderPlaced' } } }`. One alone is that of version 1. */
  readonly types: Versions<ProtobufType>;
  /** Where the schemas of writers are. It needs each `proto` as text. @default none: bodies carry nothing but the value */
  readonly registry?: SchemaRegistry;
  /**
   * A 64-bit integer in the program. `number`: one beyond 2^53 is refused, written or read. `string`: decimal, as in Protobuf's JSON.
   * @default 'number'
   */
  readonly longs?: Longs;
  /** Field names as in the `.proto`, instead of in camel case: `order_id`, not `orderId`. For text and descriptor sets. @default false */
  readonly keepCase?: boolean;
}

/** A message type of a version. */
export interface LocalType {
  readonly name: string;
  readonly code: Compiled;
  /** For registries; undefined when there is none. */
  readonly text: SchemaText | undefined;
  readonly path: readonly number[];
}

export interface ResolvedProtobufOptions {
  readonly limits: Required<LimitOptions>;
  readonly longs: Longs;
  readonly registry: SchemaRegistry | undefined;
  readonly types: ByVersion<LocalType>;
}

/** The options with their defaults; throws one `CONFIGURATION` error that names every fault. */
export function resolveProtobufOptions(options: ProtobufCodecOptions): ResolvedProtobufOptions {
  const { longs = 'number', keepCase = false, registry, types } = options;
  const faults: string[] = [];
  const limits = resolveLimits(options, faults);
  if (!['number', 'string', 'bigint'].includes(longs))
    faults.push(`longs is "${longs}", wanted is number, string or bigint`);
  const compiler = new Compiler(longs);
  const local = (given: ProtobufType): LocalType => {
    const type = resolveType(given, keepCase);
    const { proto } = given;
    if (registry !== undefined && typeof proto !== 'string')
      throw new Error('a registry needs the text of its .proto as proto');
    const text: SchemaText | undefined =
      registry === undefined || typeof proto !== 'string' ? undefined : { format: 'PROTOBUF', text: proto };
    return { name: type.fullName.slice(1), code: compiler.of(type), text, path: indexPathOf(type) };
  };
  const resolved = byVersion('types', types, isType, local, faults);
  if (registry !== undefined && (typeof registry.mark !== 'function' || typeof registry.writerOf !== 'function'))
    faults.push('registry must be a SchemaRegistry, such as createConfluentRegistry makes');
  if (faults.length > 0) throw configurationError('codecs: cannot create a "Protobuf codec"', faults);
  return { limits, longs, registry, types: resolved };
}

const isType = (given: ProtobufType | Readonly<Record<number, ProtobufType>>): given is ProtobufType =>
  'proto' in given;
