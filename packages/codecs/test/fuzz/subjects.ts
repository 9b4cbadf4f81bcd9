import { type Codec, type CodecContext, type Encoded, isPromise } from '@bento-bus/core';
import * as fc from 'fast-check';
import { createAvroCodec } from '../../src/avro/index.ts';
import { compressed } from '../../src/compression.ts';
import { createJsonCodec } from '../../src/json-codec.ts';
import { createProtobufCodec } from '../../src/protobuf/index.ts';
import type { SchemaRegistry } from '../../src/registry/port.ts';

/** A codec and what its bodies are made of. */
export interface Subject {
  readonly name: string;
  readonly codec: Codec;
  readonly context: CodecContext;
  /** Valid bodies: what is damaged. */
  readonly bodies: (seed: number) => Promise<readonly Buffer[]>;
}

export const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };
const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 20 }));
const key = text.filter((one) => one !== '__proto__' && one !== 'constructor');
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

const nodeOf = (depth: number): fc.Arbitrary<unknown> =>
  fc.record({
    name: text,
    int,
    long: fc.maxSafeInteger(),
    double: fc.double({ noNaN: true }),
    flag: fc.boolean(),
    kind: fc.constantFrom('A', 'B', 'C'),
    bytes: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    texts: fc.array(text, { maxLength: 5 }),
    numbers: fc.array(int, { maxLength: 9 }),
    map: fc.dictionary(key, int, { maxKeys: 4 }),
    below: depth === 0 ? fc.constant([]) : fc.array(nodeOf(depth - 1), { maxLength: 2 }),
  });
/** What both schemas below have in common. */
export const node: fc.Arbitrary<unknown> = nodeOf(3);

const avro = (more: readonly object[] = []): string =>
  JSON.stringify({
    type: 'record',
    name: 'Node',
    fields: [
      { name: 'name', type: 'string' },
      { name: 'int', type: 'int' },
      { name: 'long', type: 'long' },
      { name: 'double', type: 'double' },
      { name: 'flag', type: 'boolean' },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } },
      { name: 'bytes', type: ['null', 'bytes'] },
      { name: 'texts', type: { type: 'array', items: 'string' } },
      { name: 'numbers', type: { type: 'array', items: 'int' } },
      { name: 'map', type: { type: 'map', values: 'int' } },
      { name: 'below', type: { type: 'array', items: 'Node' } },
      { name: 'nothings', type: { type: 'array', items: 'null' }, default: [] },
      {
        name: 'voids',
        type: { type: 'array', items: { type: 'record', name: 'Void', fields: [{ name: 'nothing', type: 'null' }] } },
        default: [],
      },
      { name: 'fixed', type: { type: 'fixed', name: 'F', size: 3 }, default: 'abc' },
      ...more,
    ],
  });

export const avroSchema: string = avro();

export const proto = `
  syntax = "proto3";
  enum Kind { A = 0; B = 1; C = 2; }
  message Empty {}
  message Node {
    string name = 1; int32 int = 2; sint64 long = 3; double double = 4; bool flag = 5; Kind kind = 6; bytes bytes = 7; repeated string texts = 8;
    repeated int32 numbers = 9; map<string, int32> map = 10; repeated Node below = 11; repeated Empty nothings = 12; map<int64, Node> more = 13;
    oneof either { fixed64 wide = 14; Node only = 15; float float = 16; }
  }`;

const bodiesOf =
  (codec: Codec, values: fc.Arbitrary<unknown>, given: CodecContext = context) =>
  async (seed: number): Promise<readonly Buffer[]> => {
    const bodies: Buffer[] = [];
    for (const value of fc.sample(values, { seed, numRuns: 20 })) {
      const encoded: Encoded | Promise<Encoded> = codec.encode(value, given);
      bodies.push(Buffer.from((isPromise(encoded) ? await encoded : encoded).body));
    }
    return bodies;
  };

const json = createJsonCodec();
const jsonValues = fc.jsonValue({ maxDepth: 5 }).filter((value) => {
  try {
    json.encode(value, context);
    return true;
  } catch {
    return false;
  }
});
const avroCodec = createAvroCodec({ schemas: { 'order.placed': avro() } });
const protobufCodec = createProtobufCodec({ types: { 'order.placed': { proto, message: 'Node' } } });

/** Says of every body that another schema wrote it. */
const other: SchemaRegistry = {
  mark: () => ({ prefix: new Uint8Array(0) }),
  writerOf: () => ({ id: '1', schema: { format: 'AVRO', text: avro() }, offset: 0 }),
};
const resolving = createAvroCodec({
  schemas: {
    'order.placed': avro([{ name: 'more', type: 'string', default: '' }])
      .replace('"items":"int"', '"items":"double"')
      // Skipped, also where it takes no bytes.
      .replace(/\{"name":"texts".*?\}\},/, '')
      .replace(/\{"name":"nothings".*?"default":\[\]\},/, '')
      .replace(/\{"name":"voids".*?"default":\[\]\},/, ''),
  },
  registry: other,
});

const compressions = (['gzip', 'brotli', 'deflate'] as const).map((algorithm): Subject => {
  const codec = compressed(json, { algorithm, minBytes: 0 });
  const headers = { 'content-encoding': algorithm === 'brotli' ? 'br' : algorithm };
  const long = fc.array(text, { minLength: 20, maxLength: 30 }).map((texts) => texts.concat(texts, texts));
  return { name: algorithm, codec, context: { ...context, headers }, bodies: bodiesOf(codec, long) };
});

export const subjects: readonly Subject[] = [
  { name: 'json', codec: json, context, bodies: bodiesOf(json, jsonValues) },
  { name: 'avro', codec: avroCodec, context, bodies: bodiesOf(avroCodec, node) },
  { name: 'avro of another schema', codec: resolving, context, bodies: bodiesOf(avroCodec, node) },
  { name: 'protobuf', codec: protobufCodec, context, bodies: bodiesOf(protobufCodec, node) },
  ...compressions,
];
