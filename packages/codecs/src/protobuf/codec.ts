import { Buffer } from 'node:buffer';
import { type Codec, type CodecContext, type Encoded, isPromise } from '@bento-bus/core';
import { type ErrorOf, errorsOf, type Fault, FaultError, shorten, tooLarge } from '../fault.ts';
import { BoundedMap } from '../registry/cache.ts';
import type { SchemaMark, WriterSchema } from '../registry/port.ts';
import { unknownVersion } from '../versions.ts';
import { type LocalType, type ProtobufCodecOptions, resolveProtobufOptions } from './options.ts';
import { WireReader } from './reader.ts';
import { messageAt } from './schema.ts';
import { WireWriter } from './writer.ts';

const contentType = 'application/protobuf';
const refusal: ErrorOf = errorsOf(contentType, 'Protobuf');

/**
 * Protobuf bodies by the message of the type and version at hand. The code that reads and writes a message is made of its schema, once.
 *
 * `encode` takes plain objects: enums as their symbols, `bytes` as Uint8Array, maps as objects, 64-bit integers as `longs` says. Nothing is
 * coerced: what does not fit its field is refused with its path. A property that the schema does not name is left out. Undefined is absent,
 * and null where the schema tells absence from the default (`optional`, messages, oneofs).
 *
 * `decode` gives plain data: repeated fields and maps are always there, other fields without presence with their default; of those with
 * presence only what the body has. Enums are symbols, numbers only where the schema does not know one; `bytes` are Buffers that share no
 * memory with the body. Fields that the schema does not have are passed over, so that messages of later versions can be read. With a
 * `registry` the body names its writer's schema; a body of another message is refused.
 *
 * Hostile bytes are refused: lengths that the body cannot hold, more than `maxValues`, `maxDepth` or `maxBytes`, numbers beyond 64 bits, bad
 * UTF-8, keys that change a prototype, a truncated body. Every refusal is a `CodecError` with `at` (`byte 17`, or a path such as
 * `$.items[2]`). Of others, only the registry's errors are passed on, when it is down. Throws a `CONFIGURATION` error for bad options, groups
 * among them, which are not supported.
 */
export function createProtobufCodec(options: ProtobufCodecOptions): Codec {
  const { limits, longs, registry, types } = resolveProtobufOptions(options);
  const names = new BoundedMap<string, string | false>(1_000);
  const reader = new WireReader(limits, longs);
  const writer = new WireWriter(limits, longs);
  let writing = false;

  const localOf = (action: 'encode' | 'decode', context: CodecContext): LocalType => {
    const local = types.get(context.type)?.get(context.version);
    if (local !== undefined) return local;
    throw refusal(action, context, unknownVersion('types', types, context));
  };

  const write = (value: unknown, { code }: LocalType, context: CodecContext, mark?: SchemaMark): Encoded => {
    // A getter of the value may encode another one.
    const own = writing ? new WireWriter(limits, longs) : writer;
    const before = writing;
    writing = true;
    let body: Buffer;
    try {
      own.start(mark?.prefix);
      code.write(own, value, limits.maxDepth);
      body = own.finish();
    } catch (error) {
      throw refusal('encode', context, unwritten(error), error instanceof FaultError ? undefined : { cause: error });
    } finally {
      writing = before;
    }
    return mark?.headers === undefined ? { body } : { body, headers: mark.headers };
  };

  /** Refuses a body of another message. Where it stands says little: the first message of one file is another than that of the next. */
  const checkMessage = ({ id, schema, message }: WriterSchema, local: LocalType, context: CodecContext): void => {
    if (message === undefined) return;
    const inPlace = isSame(message, local.path);
    if (inPlace && schema.text === local.text?.text) return;
    const key = `${id}/${message.join('.')}`;
    let name = names.get(key);
    if (name === undefined) {
      name = messageAt(schema.text, message) ?? false;
      names.set(key, name);
    }
    // Of a text that cannot be read, the place is all there is.
    if (name === local.name || (name === false && inPlace)) return;
    throw refusal('decode', context, {
      problem: `its body is ${called(name)}, not "${local.name}"`,
      advice: 'Correct the producer, or the types of the codec.',
    });
  };

  const read = (body: Uint8Array, found: WriterSchema | undefined, context: CodecContext): unknown => {
    const local = localOf('decode', context);
    if (found !== undefined) checkMessage(found, local, context);
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    try {
      // Reading calls nothing of anybody else's, so one reader is enough.
      reader.start(bytes, found?.offset ?? 0);
      return local.code.read(reader, limits.maxDepth);
    } catch (error) {
      if (error instanceof FaultError) throw refusal('decode', context, error.fault);
      throw error;
    } finally {
      reader.start(nothing, 0);
    }
  };

  return {
    contentType,
    encode(value, context) {
      const local = localOf('encode', context);
      const mark = local.text === undefined ? undefined : registry?.mark(local.text, context, local.path);
      return isPromise(mark)
        ? mark.then((settled) => write(value, local, context, settled))
        : write(value, local, context, mark);
    },
    decode(body, context) {
      if (body.length > limits.maxBytes) throw refusal('decode', context, tooLarge(limits.maxBytes, body.length));
      const found = registry?.writerOf(body, context, 'PROTOBUF');
      return isPromise(found) ? found.then((settled) => read(body, settled, context)) : read(body, found, context);
    },
  };
}

const nothing = Buffer.alloc(0);

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

/** What `messageAt` found. */
const called = (name: string | false): string =>
  name === false || name === '' ? 'no message that its schema has' : `the message "${shorten(name)}"`;

/** Paths begin at the value. */
function unwritten(error: unknown): Fault {
  if (error instanceof FaultError) {
    const { at = '' } = error.fault;
    return { ...error.fault, at: at.startsWith('$') ? at : `$${at}` };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { at: '$', problem: `the value threw while it was read (${message})`, advice: 'Correct its getter.' };
}
