import type { Encoded } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import { avroSchema, context, node, proto, subjects } from './subjects.ts';

const codecOf = (name: string): (typeof subjects)[number]['codec'] => {
  const subject = subjects.find((one) => one.name === name);
  if (subject === undefined) throw new Error(`no subject "${name}"`);
  return subject.codec;
};

describe('what is written', () => {
  it('as Avro comes back whole, and is what avsc writes and reads', () => {
    const codec = codecOf('avro');
    const type = avsc.Type.forSchema(JSON.parse(avroSchema));
    fc.assert(
      fc.property(node, (value) => {
        const { body } = codec.encode(value, context) as Encoded;
        const read = codec.decode(body, context) as object;
        expect(read).toMatchObject(value as object);
        // avsc loses the last bit of longs beyond 2^52.
        if (Math.abs((value as { long: number }).long) > 2 ** 52 || /"long":-?\d{16}/.test(JSON.stringify(value)))
          return;
        expect(type.toBuffer(value)).toEqual(body);
        expect(read).toEqual(type.fromBuffer(Buffer.from(body)));
      }),
      { numRuns: 200 },
    );
  });

  it('as Protobuf comes back whole, and is what protobufjs writes and reads', () => {
    const codec = codecOf('protobuf');
    const type = protobuf.parse(proto).root.lookupType('Node');
    fc.assert(
      fc.property(node, (value) => {
        const { body } = codec.encode(value, context) as Encoded;
        expect(Buffer.from(type.encode(type.fromObject(value as object)).finish())).toEqual(body);
        const read = codec.decode(body, context);
        const options = { longs: Number, enums: String, defaults: true, arrays: true, objects: true };
        expect(read).toEqual(type.toObject(type.decode(body), options));
        expect(read).toMatchObject(value as object);
      }),
      { numRuns: 200 },
    );
  });
});
