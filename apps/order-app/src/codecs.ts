import { readFile } from 'node:fs/promises';
import { createJsonCodec } from '@bento-bus/codecs';
import { type Codec, type EventDefinition, headerNames } from '@bento-bus/core';
import type { CodecName } from './codec-names.ts';
import { creditNoteEvents, orderEvents } from './domain/events.ts';

/** By what messages say of themselves: no object, which has "constructor" too. */
const contentTypes: ReadonlyMap<string | undefined, CodecName> = new Map([
  ['application/json', 'json'],
  ['application/avro', 'avro'],
  ['application/protobuf', 'protobuf'],
]);

/** What makes each codec. */
type Loaders = { readonly [Name in CodecName]: () => Promise<Codec> };

/** Only what is used is loaded. */
const codecs: Loaders = {
  json: async () => createJsonCodec(),
  avro: async () => {
    const { createAvroCodec } = await import('@bento-bus/codecs/avro');
    const schemas = await Promise.all(
      definitions.map(async ({ type, version }) => [type, { [version]: await schemaFile(`${type}.v${version}.avsc`) }]),
    );
    return createAvroCodec({ schemas: Object.fromEntries(schemas) as Record<string, Record<number, string>> });
  },
  protobuf: async () => {
    const { createProtobufCodec } = await import('@bento-bus/codecs/protobuf');
    const types = await Promise.all(
      definitions.map(async ({ type, version }) => {
        const proto = await schemaFile(`shop.v${version}.proto`);
        return [type, { [version]: { proto, message: `bento.shop.${messageName(type)}` } }];
      }),
    );
    return createProtobufCodec({
      types: Object.fromEntries(types) as Record<string, Record<number, { proto: string; message: string }>>,
    });
  },
};

const definitions: readonly EventDefinition[] = [orderEvents, creditNoteEvents].flatMap((events) =>
  Object.values(events),
);

/** `credit-note.recorded` is the message `CreditNoteRecorded`. */
const messageName = (type: string): string =>
  type
    .split(/[.-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

const schemaFile = (name: string): Promise<string> => readFile(new URL(`../schemas/${name}`, import.meta.url), 'utf8');

/**
 * The codec of the application's messages. It writes what `name` says and reads what the message's content type says, so that the setting
 * may change while messages of another one wait on the broker.
 */
export async function createMessageCodec(name: CodecName, loaders: Loaders = codecs): Promise<Codec> {
  const own = await loaders[name]();
  const others = new Map<CodecName, Promise<Codec>>();
  const other = (named: CodecName): Promise<Codec> => {
    const before = others.get(named);
    if (before !== undefined) return before;
    const loading = loaders[named]();
    others.set(named, loading);
    // The next message tries again.
    loading.catch(() => others.delete(named));
    return loading;
  };
  return {
    contentType: own.contentType,
    encode: (value, context) => own.encode(value, context),
    decode: (body, context) => {
      const written = contentTypes.get(context.headers[headerNames.contentType]) ?? name;
      return written === name ? own.decode(body, context) : other(written).then((codec) => codec.decode(body, context));
    },
  };
}
