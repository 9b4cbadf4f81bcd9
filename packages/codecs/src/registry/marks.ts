import type { CodecContext } from '@bento-bus/core';
import { BoundedMap, Refusal } from './cache.ts';
import type { SchemaFormat, SchemaMark, SchemaText, WriterSchema } from './port.ts';
import { refused } from './refusals.ts';

/** Marks by the schema itself and what else they depend on, so that writing a message builds no key of its schema's text. */
export class Marks {
  readonly #bySchema = new WeakMap<SchemaText, BoundedMap<string, SchemaMark>>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get(schema: SchemaText, key: string): SchemaMark | undefined {
    return this.#bySchema.get(schema)?.get(key);
  }

  set(schema: SchemaText, key: string, mark: SchemaMark): void {
    let known = this.#bySchema.get(schema);
    if (known === undefined) {
      known = new BoundedMap(this.#size);
      this.#bySchema.set(schema, known);
    }
    known.set(key, mark);
  }
}

/** What depends on the message of a protobuf file too. The first one, by far the commonest, costs nothing. */
export const keyOf = (place: string, message: readonly number[] | undefined): string =>
  message === undefined || (message.length === 1 && message[0] === 0) ? place : `${message.join('.')}\n${place}`;

/** The schema that a registry gave for a body. Throws a `CodecError` for a refusal, and for a schema of another format. */
export function checked(
  schema: SchemaText | Refusal,
  format: SchemaFormat,
  context: CodecContext,
  at: string,
): SchemaText {
  if (schema instanceof Refusal) throw refused('decode', format, context, schema, at);
  if (schema.format === format) return schema;
  throw refused(
    'decode',
    format,
    context,
    {
      problem: `it was written with a schema of the format ${schema.format}`,
      advice: 'Read it with the codec of that format.',
    },
    at,
  );
}

/** One object for a writer's schema, however many bodies were written with it. */
export class Writers {
  readonly #bySchema = new WeakMap<SchemaText, WriterSchema>();

  of(id: string | number, schema: SchemaText, offset: number): WriterSchema {
    let writer = this.#bySchema.get(schema);
    if (writer === undefined) {
      writer = { id: String(id), schema, offset };
      this.#bySchema.set(schema, writer);
    }
    return writer;
  }
}
