import { Buffer } from 'node:buffer';
import { type Codec, type CodecContext, configurationError, type Encoded, isPromise } from '@bento-bus/core';
import { codecError } from '../fault.ts';
import { createJsonCodec } from '../json-codec.ts';
import type { JsonCodecOptions } from '../options.ts';
import { byVersion, unknownVersion, type Versions } from '../versions.ts';
import type { SchemaMark, SchemaRegistry, SchemaText, WriterSchema } from './port.ts';

/** A schema: its JSON as text, or the same as an object. */
export type JsonSchema = string | { readonly [keyword: string]: unknown };

/** Options of {@link createRegistryJsonCodec}. */
export interface RegistryJsonCodecOptions extends JsonCodecOptions {
  readonly registry: SchemaRegistry;
  /**
   * By type and version of the messages; a schema alone is that of version 1. JSON Schemas for a registry with the API of Confluent (with
   * `$schema`: Apicurio refuses one whose kind it cannot see), Avro records for Pulsar's.
   */
  readonly schemas: Versions<JsonSchema>;
}

/**
 * {@link createJsonCodec} whose bodies are known to a registry, as those of other clients' JSON serializers. The registry refuses a schema
 * that breaks its readers; whether a value keeps its schema is for the validation of the events to say. JSON names its own fields, so
 * reading needs no schema: the one that a body names is only checked to exist. Throws a `CONFIGURATION` error for bad options.
 */
export function createRegistryJsonCodec(options: RegistryJsonCodecOptions): Codec {
  const { registry, schemas: given, ...rest } = options;
  const faults: string[] = [];
  const schemas = byVersion('schemas', given, isSchema, textOf, faults);
  if (faults.length > 0) throw configurationError('codecs: cannot create a "registry JSON codec"', faults);
  const json = createJsonCodec(rest);

  const schemaOf = (context: CodecContext): SchemaText => {
    const schema = schemas.get(context.type)?.get(context.version);
    if (schema === undefined) throw codecError('encode', context, unknownVersion('schemas', schemas, context));
    return schema;
  };

  const payload = (body: Uint8Array, context: CodecContext, writer: WriterSchema | undefined): unknown =>
    json.decode(writer === undefined ? body : body.subarray(writer.offset), context);

  return {
    contentType: json.contentType,
    encode(value, context) {
      const encoded = json.encode(value, context);
      const mark = registry.mark(schemaOf(context), context);
      return isPromise(mark) ? mark.then((settled) => framed(settled, encoded)) : framed(mark, encoded);
    },
    decode(body, context) {
      const writer = registry.writerOf(body, context, 'JSON');
      return isPromise(writer)
        ? writer.then((settled) => payload(body, context, settled))
        : payload(body, context, writer);
    },
  };
}

const framed = ({ prefix, headers }: SchemaMark, { body }: Encoded): Encoded => ({
  body: prefix.length === 0 ? body : Buffer.concat([prefix, body]),
  ...(headers !== undefined && { headers }),
});

/** Versions are numbers, keywords are not. */
const isSchema = (given: JsonSchema | Readonly<Record<number, JsonSchema>>): given is JsonSchema =>
  typeof given === 'string' || Object.keys(given).some((key) => !/^\d+$/.test(key));

function textOf(schema: JsonSchema): SchemaText {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
  JSON.parse(text);
  return { format: 'JSON', text };
}
