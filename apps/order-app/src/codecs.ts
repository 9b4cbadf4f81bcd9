import { readFile } from 'node:fs/promises';
import { createJsonCodec } from '@bento-bus/codecs';
import { type Codec, type EventDefinition, headerNames } from '@bento-bus/core';
import type { CodecName } from './codec-names.ts';
import { creditNoteEvents, orderEvents } from './domain/events.ts';

const contentTypes: Readonly<Record<string, CodecName>> = {
  'application/json': 'json',
  'application/avro': 'avro',
  'application/protobuf': 'protobuf',
};

/** Only what is used is loaded. */
const codecs: { readonly [Name in CodecName]: () => Promise<Codec> } = {
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
    const proto = await schemaFile('shop.v1.proto');
    const types = definitions.map(({ type }) => [type, { 1: { proto, message: `bento.shop.${messageName(type)}` } }]);
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
export async function createMessageCodec(name: CodecName): Promise<Codec> {
  const own = await codecs[name]();
  const others = new Map<CodecName, Promise<Codec>>();
  const other = (named: CodecName): Promise<Codec> => {
    const loading = others.get(named) ?? codecs[named]();
    others.set(named, loading);
    return loading;
  };
  return {
    contentType: own.contentType,
    encode: (value, context) => own.encode(value, context),
    decode: (body, context) => {
      const written = contentTypes[context.headers[headerNames.contentType] ?? ''] ?? name;
      return written === name ? own.decode(body, context) : other(written).then((codec) => codec.decode(body, context));
    },
  };
}
