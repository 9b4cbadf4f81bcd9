import { type Codec, CodecError } from '@bento-bus/core';
import { expect, it } from '@jest/globals';
import { createAvroCodec } from '../../src/avro/index.ts';
import { createProtobufCodec } from '../../src/protobuf/index.ts';
import { context } from './subjects.ts';

const size = 5 * 1024 * 1024;
const filled = (...bytes: number[]): Buffer => Buffer.alloc(size - (size % bytes.length), Buffer.from(bytes));

const proto = `syntax = "proto3"; message M {
  int32 int = 1; oneof either { int32 a = 2; string b = 3; } M one = 5; string text = 6; repeated M many = 7; map<string, M> map = 9; bytes bytes = 11;
}`;
const protobufCodec = createProtobufCodec({ types: { 'order.placed': { proto, message: 'M' } } });
const nulls = Array.from({ length: 50 }, (_, i) => ({ name: `f${i}`, type: 'null' }));
const tree = {
  type: 'record',
  name: 'T',
  fields: [...nulls, { name: 'below', type: ['null', 'T'] }, { name: 'beside', type: { type: 'array', items: 'T' } }],
};
const avroCodec = createAvroCodec({ schemas: { 'order.placed': tree } });

// What takes longest for its bytes, in the largest body there may be.
it.each<[string, Codec, Buffer]>([
  ['members of a oneof in turn', protobufCodec, filled(0x10, 0, 0x1a, 0)],
  ['empty messages in pieces', protobufCodec, filled(0x2a, 0)],
  ['empty messages', protobufCodec, filled(0x3a, 0)],
  ['empty entries', protobufCodec, filled(0x4a, 0)],
  ['empty bytes', protobufCodec, filled(0x5a, 0)],
  ['empty groups', protobufCodec, filled(0xab, 0x02, 0xac, 0x02)],
  ['texts', protobufCodec, filled(0x32, 13, ...Buffer.from('abcdefghijklm'))],
  ['records beside one another', avroCodec, Buffer.concat([Buffer.of(0, 0x80, 0x80, 0x80, 0x02), filled(0)])],
])('%s do not stop a process', (name, codec, body) => {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i += 1) {
    const begin = performance.now();
    try {
      codec.decode(body, context);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
    best = Math.min(best, performance.now() - begin);
  }
  process.stdout.write(`figure: 5 MiB of ${name}: ${best.toFixed(0)} ms\n`);
  // 20 to 70 where nothing else runs; without the limit on values, up to 3,500.
  expect(best).toBeLessThan(400);
});
