import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { decodeFetch } from './fetch-decoder.ts';

// The oracle: what kafkajs itself writes and reads.
const require = createRequire(import.meta.url);
const protocol = 'kafkajs/src/protocol';
const Encoder = require(`${protocol}/encoder`) as new () => Encoding;
const { RecordBatch } = require(`${protocol}/recordBatch/v0`) as { RecordBatch: (batch: object) => Promise<Encoding> };
const Record = require(`${protocol}/recordBatch/record/v0`) as (record: object) => Encoding;
const oracle = require(`${protocol}/requests/fetch/v11/response`) as { decode: (raw: Buffer) => Promise<Fetched> };

interface Encoding {
  readonly buffer: Buffer;
  writeInt16(value: number): Encoding;
  writeInt32(value: number): Encoding;
  writeInt64(value: number): Encoding;
  writeString(value: string): Encoding;
  writeBuffer(value: Buffer): Encoding;
}
type Value = string | Buffer | null;
interface Given {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Value;
  readonly value: Value;
  readonly headers: globalThis.Record<string, Value | Value[]>;
}
interface Fetched {
  readonly responses: { readonly partitions: { readonly messages: globalThis.Record<string, unknown>[] }[] }[];
}

const batchOf = async (firstOffset: number, records: readonly Given[], more: object = {}): Promise<Buffer> => {
  const encoded = records.map((record) => Record(record));
  return (await RecordBatch({ firstOffset, firstTimestamp: 1_700_000_000_000, records: encoded, ...more })).buffer;
};

/** A response with two topics, the first of which has the batches, all in one partition. */
const responseOf = (batches: readonly Buffer[], cutOff = 0): Buffer => {
  const whole = Buffer.concat(batches);
  const all = whole.subarray(0, whole.length - cutOff);
  return new Encoder()
    .writeInt32(7)
    .writeInt16(0)
    .writeInt32(0)
    .writeInt32(2)
    .writeString('orders')
    .writeInt32(1)
    .writeInt32(3)
    .writeInt16(0)
    .writeInt64(900)
    .writeInt64(800)
    .writeInt64(5)
    .writeInt32(1)
    .writeInt64(77)
    .writeInt64(12)
    .writeInt32(-1)
    .writeInt32(all.length)
    .writeBuffer(all)
    .writeString('empty')
    .writeInt32(0).buffer;
};

/** In one form: text, and bytes in hexadecimal where they are no UTF-8. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (!Buffer.isBuffer(value)) return value;
  const text = value.toString();
  return Buffer.from(text).equals(value) ? text : value.toString('hex');
};
const recordsOf = (fetched: Fetched): unknown =>
  fetched.responses.map(({ partitions }) =>
    partitions.map((partition) => ({
      ...partition,
      // kafkajs does not look so far.
      next: undefined,
      messages: partition.messages.map(({ offset, timestamp, key, value, headers, isControlRecord, batchContext }) => {
        const { producerId, inTransaction } = batchContext as { producerId: string; inTransaction: boolean };
        const entries = Object.entries(headers as object).map(([name, one]) => [name, plain(one)]);
        const own = { offset, timestamp: Number(timestamp), key: plain(key), value: plain(value), isControlRecord };
        return Object.assign(own, { headers: Object.fromEntries(entries) as unknown, producerId, inTransaction });
      }),
    })),
  );

const random = (() => {
  let state = 42;
  return (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % below;
  };
})();
const pieces = [
  'k1',
  '',
  'order.placed',
  'Grüße 🚚',
  'x'.repeat(300),
  '\uFFFD',
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from('plain'),
];
const piece = (): Value => pieces[random(pieces.length)] as Value;
const names = ['ce_id', 'ce_type', 'X-Odd', 'ünïcode', 'n'.repeat(200)];
const some = (index: number): Given => ({
  offsetDelta: index * (1 + random(3)),
  timestampDelta: random(2) === 0 ? random(100_000) : -random(1_000),
  key: random(4) === 0 ? null : piece(),
  value: random(4) === 0 ? null : piece(),
  headers: Object.fromEntries(
    names.slice(random(names.length)).map((name) => [name, random(5) === 0 ? [piece(), piece(), piece()] : piece()]),
  ) as Given['headers'],
});

describe('decoding what was fetched', () => {
  it('gives what kafkajs gives, for any records', async () => {
    for (let round = 0; round < 200; round += 1) {
      const batches = await Promise.all(
        Array.from({ length: 1 + random(3) }, (_, batch) =>
          batchOf(
            batch * 1_000 + 2 ** (random(4) * 10),
            Array.from({ length: random(8) }, (__, index) => some(index)),
            {
              transactional: random(2) === 0,
              producerId: random(1_000),
            },
          ),
        ),
      );
      const raw = responseOf(batches, random(3) === 0 ? 1 + random(40) : 0);
      const ours = decodeFetch(raw);
      expect(recordsOf(ours as unknown as Fetched)).toEqual(recordsOf(await oracle.decode(raw)));
      const { responses: _, ...head } = (await oracle.decode(raw)) as unknown as { responses: unknown };
      expect(ours).toMatchObject(head);
    }
  });

  it('leaves compressed batches to kafkajs, unless it can unpack them', async () => {
    const { Types } = require(`${protocol}/message/compression`) as { Types: { GZIP: number } };
    const records = [some(0), some(1)];
    const raw = responseOf([await batchOf(1, records), await batchOf(7, records, { compression: Types.GZIP })]);
    expect(decodeFetch(raw)).toBeUndefined();
    const unpacked = decodeFetch(raw, (compression, packed) => {
      expect(compression).toBe(Types.GZIP);
      return gunzipSync(packed);
    });
    expect(recordsOf(unpacked as unknown as Fetched)).toEqual(recordsOf(await oracle.decode(raw)));
  });

  it('says where the next batch begins, also where the last records of one are gone', async () => {
    const raw = responseOf([await batchOf(1, [some(0)]), await batchOf(40, [])]);
    // The last batch once ended at 49. Its offset, length, epoch, magic, checksum and attributes come before.
    raw.writeInt32BE(9, raw.indexOf(Buffer.from([0, 0, 0, 0, 0, 0, 0, 40])) + 23);
    expect(decodeFetch(raw)?.responses[0]?.partitions[0]?.next).toBe(50);
    expect(decodeFetch(responseOf([]))?.responses[0]?.partitions[0]?.next).toBeUndefined();
  });

  it('keeps names that every object has apart from them', async () => {
    const headers = { constructor: 'a', ['__proto__']: 'b', toString: ['c', 'd'] };
    const fetched = decodeFetch(responseOf([await batchOf(1, [{ ...some(0), headers }])])) as unknown as Fetched;
    const found = fetched.responses[0]?.partitions[0]?.messages[0]?.['headers'] as object;
    expect(Object.entries(found)).toEqual([
      ['constructor', 'a'],
      ['toString', ['c', 'd']],
    ]);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  });

  it('refuses a record that claims more headers than there are bytes', async () => {
    const raw = responseOf([
      await batchOf(1, [{ offsetDelta: 0, timestampDelta: 0, key: null, value: null, headers: {} }]),
    ]);
    // The number of headers is the last byte before the second topic.
    raw[raw.indexOf(Buffer.from('\0\u0005empty')) - 1] = 0x7e;
    expect(() => decodeFetch(raw)).toThrow('claims to have');
  });
});
