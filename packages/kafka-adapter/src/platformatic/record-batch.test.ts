import { describe, expect, it } from '@jest/globals';
import { Reader, readRecordsBatch } from '@platformatic/kafka';
import { Partitioners } from 'kafkajs';
import type { DriverRecord } from '../driver.ts';
import { encodeBatch } from './record-batch.ts';
import { partitionOf } from './sender.ts';

const origin = { producerId: 4_000_000_000n, producerEpoch: 3, sequence: 70_000, transactional: false };

const text = (bytes: Uint8Array | null | undefined): string | null =>
  bytes ? Buffer.from(bytes).toString('hex') : null;
const hex = (value: string | Uint8Array | null): string | null =>
  value === null ? null : text(Buffer.from(value as string));
const headersOf = ({ headers }: DriverRecord): (string | null)[][] =>
  Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => [hex(name), hex(one as string)]));

describe('a batch of records', () => {
  it("is what the client's own decoder reads, whatever is in it", () => {
    const records: DriverRecord[] = [
      { key: null, value: null, headers: {} },
      { key: '', value: new Uint8Array(0), headers: { empty: '' } },
      {
        key: 'schlüssel',
        value: Buffer.from('wert'),
        headers: { 'ü-名': 'ö', many: ['a', Buffer.from([255, 0]), ''] },
      },
      { key: Buffer.from([0, 255]), value: Buffer.alloc(70_000, 7), headers: { long: 'x'.repeat(300) } },
      ...Array.from({ length: 200 }, (_, index) => ({ key: `k${index}`, value: Buffer.from([index]), headers: {} })),
    ];
    const raw = encodeBatch(records, origin);
    const batch = readRecordsBatch(Reader.from(raw));
    expect(batch.length).toBe(raw.length - 12);
    expect(batch).toMatchObject({ magic: 2, attributes: 0, lastOffsetDelta: records.length - 1, producerEpoch: 3 });
    expect([batch.producerId, batch.firstSequence]).toEqual([4_000_000_000n, 70_000]);
    expect(batch.records.map((one) => [one.offsetDelta, text(one.key), text(one.value)])).toEqual(
      records.map(({ key, value }, index) => [index, hex(key), hex(value)]),
    );
    expect(batch.records.map((one) => one.headers.map(([name, value]) => [text(name), text(value)]))).toEqual(
      records.map(headersOf),
    );
  });

  it('says that it belongs to a transaction', () => {
    const raw = encodeBatch([{ key: 'a', value: null, headers: {} }], { ...origin, transactional: true });
    expect(readRecordsBatch(Reader.from(raw)).attributes).toBe(0x10);
  });
});

describe('the partition of a key', () => {
  it('is the same as with kafkajs, for 1,000 keys', () => {
    const theirs = Partitioners.DefaultPartitioner();
    const keys = [
      '',
      'ü',
      ...Array.from({ length: 499 }, (_, index) => `order-${index}`),
      ...Array.from({ length: 499 }, (_, index) =>
        Buffer.from([index % 256, 255 - (index % 256), index >> 8, 0, index % 7]),
      ),
    ];
    expect(keys).toHaveLength(1_000);
    for (const count of [1, 4, 7, 100]) {
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        partitionId,
        leader: 1,
      })) as never;
      const expected = keys.map((key) => theirs({ topic: 't', partitionMetadata, message: { key, value: null } }));
      expect(keys.map((key) => partitionOf(key, count))).toEqual(expected);
    }
  });
});
