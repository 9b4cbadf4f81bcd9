import type { CodecContext } from '@bento-bus/core';

export type SchemaFormat = 'AVRO' | 'PROTOBUF' | 'JSON';
/** A schema as registries keep it. */
export interface SchemaText {
  readonly format: SchemaFormat;
  readonly text: string;
}
/** What stands before the payload, and the headers that its reader needs. */
export interface SchemaMark {
  readonly prefix: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}
/** The writer's schema of a body: `id` is unique within the registry, `offset` is where the payload begins. `message`: index path of the protobuf message within its file. */
export interface WriterSchema {
  readonly id: string;
  readonly schema: SchemaText;
  readonly offset: number;
  readonly message?: readonly number[];
}
export interface SchemaRegistry {
  /** Makes sure that the schema is registered for the message at hand (once, then cached: no promise). An incompatible one is a CodecError with the registry's reason; a registry that is down rejects with a retryable CONNECTION error. `message`: index path of the protobuf message. */
  mark(schema: SchemaText, context: CodecContext, message?: readonly number[]): SchemaMark | Promise<SchemaMark>;
  /** The schema that a body was written with; undefined: the body carries none (then the local one is used). Unknown id, wrong magic byte: CodecError. Down: retryable CONNECTION error, no CodecError. */
  writerOf(
    body: Uint8Array,
    context: CodecContext,
    format: SchemaFormat,
  ): WriterSchema | undefined | Promise<WriterSchema | undefined>;
}
