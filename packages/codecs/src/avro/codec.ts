import { Buffer } from 'node:buffer';
import { type Codec, type CodecContext, type Encoded, isPromise } from '@bento-bus/core';
import { type ErrorOf, errorsOf, type Fault, FaultError, malformed, tooLarge, trailing } from '../fault.ts';
import type { SchemaMark, WriterSchema } from '../registry/port.ts';
import { unknownVersion } from '../versions.ts';
import type { Inner } from './avsc.ts';
import { explain } from './explain.ts';
import { type AvroCodecOptions, type LocalSchema, resolveAvroOptions } from './options.ts';
import { Readers } from './readers.ts';
import { GuardedTap } from './tap.ts';
import { BodyWriter } from './writer.ts';

const contentType = 'application/avro';
const refusal: ErrorOf = errorsOf(contentType, 'Avro');

/**
 * Avro bodies (specification 1.12, binary encoding) by the schema of the message's type and version.
 *
 * `encode` writes what the schema names: a property that it does not name is left out, a missing one takes its default, and what does not
 * fit is refused with its path. `null` is no missing property. Bytes are Uint8Arrays. A union of types that JavaScript tells apart takes the
 * value itself, another one `{ [branch]: value }`. With a `registry` the schema is made sure to be there, and the body says which it is.
 *
 * `decode` gives plain data: objects and arrays, Buffers for `bytes` and `fixed` that share no memory with the body. Without a registry the
 * schema of the message's version is that of the writer. With one, a body that names its writer's schema is read from that schema into the
 * one of the message's version by Avro's rules; a version that is not in `schemas` comes as it was written.
 *
 * Hostile bytes are refused before anything is made of them: counts and lengths that the body cannot hold, more than `maxValues`,
 * `maxDepth` or `maxBytes`, numbers beyond their size, bad UTF-8, keys that change a prototype, a truncated or longer body. Every refusal is a
 * `CodecError` with `at` (`byte 17`, or a path such as `$.items[2]`). Of others, only the registry's errors are passed on, when it is down.
 * Throws a `CONFIGURATION` error for bad options.
 */
export function createAvroCodec(options: AvroCodecOptions): Codec {
  const { limits, registry, schemas, types } = resolveAvroOptions(options);
  const writer = new BodyWriter(limits);
  const readers = new Readers(types);
  const tap = new GuardedTap(limits);
  let reading = false;

  const localOf = ({ type, version }: CodecContext): LocalSchema | undefined => schemas.get(type)?.get(version);

  const write = (value: unknown, { type }: LocalSchema, context: CodecContext, mark?: SchemaMark): Encoded => {
    let body: Buffer;
    try {
      body = writer.write(type, value, mark?.prefix);
    } catch (error) {
      throw refusal('encode', context, explain(type, value, error));
    }
    return mark?.headers === undefined ? { body } : { body, headers: mark.headers };
  };

  const read = (bytes: Buffer, offset: number, reader: Reads, context: CodecContext): unknown => {
    // A logical type may decode another body while it makes its value.
    const own = reading ? new GuardedTap(limits) : tap;
    const before = reading;
    reading = true;
    try {
      own.start(bytes, offset);
      const value = reader._read(own);
      if (own.pos < bytes.length) throw new FaultError(trailing(own.pos));
      return value;
    } catch (error) {
      throw refusal('decode', context, ...unreadable(error, own.pos));
    } finally {
      reading = before;
      // Not to keep the body in memory.
      own.buf = nothing;
    }
  };

  const readWritten = (bytes: Buffer, writerSchema: WriterSchema | undefined, context: CodecContext): unknown => {
    const local = localOf(context);
    if (writerSchema !== undefined) {
      const reader = readers.of(writerSchema, local);
      if ('problem' in reader) throw refusal('decode', context, reader);
      return read(bytes, writerSchema.offset, reader, context);
    }
    if (local === undefined) throw refusal('decode', context, unknownVersion('schemas', schemas, context));
    return read(bytes, 0, local.type, context);
  };

  return {
    contentType,
    encode(value, context) {
      const local = localOf(context);
      if (local === undefined) throw refusal('encode', context, unknownVersion('schemas', schemas, context));
      const mark = registry?.mark(local.text, context);
      return isPromise(mark)
        ? mark.then((settled) => write(value, local, context, settled))
        : write(value, local, context, mark);
    },
    decode(body, context) {
      if (body.length > limits.maxBytes) throw refusal('decode', context, tooLarge(limits.maxBytes, body.length));
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      const found = registry?.writerOf(body, context, 'AVRO');
      return isPromise(found)
        ? found.then((settled) => readWritten(bytes, settled, context))
        : readWritten(bytes, found, context);
    },
  };
}

type Reads = Pick<Inner, '_read'>;

const nothing = Buffer.alloc(0);

/** What to say of an error while reading. avsc's own are about indexes; all else comes from a logical type. */
function unreadable(error: unknown, position: number): [Fault, ErrorOptions?] {
  if (error instanceof FaultError) return [error.fault];
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TypeError || /^invalid .*index/.test(message))
    return [malformed('an index of a union or enum that the schema does not have', position)];
  return [
    {
      at: `byte ${position}`,
      problem: `a logical type refused its value (${message})`,
      advice: 'Correct the producer, or the class in logicalTypes.',
    },
    { cause: error },
  ];
}
