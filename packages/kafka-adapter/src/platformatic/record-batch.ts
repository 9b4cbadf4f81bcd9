import type { WireValue } from '@bento-bus/core/adapter';
import { crc32c, Writer } from '@platformatic/kafka';
import type { DriverRecord } from '../driver.ts';

// The client's own encoder makes a buffer of every text and a chain of buffers of every record. This one writes them into one buffer.

/** Who writes a batch, and which place among its batches in the partition it has. */
export interface BatchOrigin {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly transactional: boolean;
}

const headerLength = 61;
/** From the start of a batch to what its checksum covers. */
const checkedFrom = 21;

/** A batch of records, format 2, not compressed. Source: https://kafka.apache.org/protocol, "Record Batch". */
export function encodeBatch(records: readonly DriverRecord[], origin: BatchOrigin): Buffer {
  const sizes = records.map(sizeOf);
  const total = sizes.reduce((sum, size) => sum + varintLength(size) + size, headerLength);
  const output = new Output(Buffer.allocUnsafe(total));
  for (const [index, record] of records.entries()) output.record(record, index, sizes[index] as number);
  const { raw } = output;
  const now = BigInt(Date.now());
  raw.writeBigInt64BE(0n, 0);
  raw.writeInt32BE(total - 12, 8);
  // The leader's epoch, which it sets itself.
  raw.writeInt32BE(-1, 12);
  raw[16] = 2;
  raw.writeInt16BE(origin.transactional ? 0x10 : 0, checkedFrom);
  raw.writeInt32BE(records.length - 1, 23);
  raw.writeBigInt64BE(now, 27);
  raw.writeBigInt64BE(now, 35);
  raw.writeBigInt64BE(origin.producerId, 43);
  raw.writeInt16BE(origin.producerEpoch, 51);
  raw.writeInt32BE(origin.sequence, 53);
  raw.writeInt32BE(records.length, 57);
  // It would copy what is not in a chain of buffers.
  raw.writeUInt32BE(crc32c(Writer.create().append(raw.subarray(checkedFrom)).dynamicBuffer), 17);
  return raw;
}

const bytesIn = (value: WireValue): number => (typeof value === 'string' ? Buffer.byteLength(value) : value.length);

const fieldLength = (value: WireValue | null): number => {
  if (value === null) return 1;
  const length = bytesIn(value);
  return varintLength(length) + length;
};

/** Without its own length. `index` is part of it: see {@link Output.record}. */
function sizeOf(record: DriverRecord, index: number): number {
  // Its attributes and the difference of its time, both 0.
  let size = 2 + varintLength(index) + fieldLength(record.key) + fieldLength(record.value);
  let count = 0;
  for (const name in record.headers)
    for (const value of valuesOf(record.headers[name])) {
      count += 1;
      size += fieldLength(name) + fieldLength(value);
    }
  return size + varintLength(count);
}

/** The protocol lets a name stand more than once. */
const valuesOf = (header: DriverRecord['headers'][string]): readonly WireValue[] => {
  if (header === undefined) return [];
  return Array.isArray(header) ? (header as readonly WireValue[]) : [header as WireValue];
};

/** How long a number is that is written zigzag. */
function varintLength(value: number): number {
  let length = 1;
  for (let left = value < 0 ? -2 * value - 1 : 2 * value; left >= 128; left = Math.floor(left / 128)) length += 1;
  return length;
}

class Output {
  readonly raw: Buffer;
  #at = headerLength;

  constructor(raw: Buffer) {
    this.raw = raw;
  }

  record({ key, value, headers }: DriverRecord, index: number, size: number): void {
    this.#varint(size);
    this.#varint(0);
    this.#varint(0);
    this.#varint(index);
    this.#field(key);
    this.#field(value);
    let count = 0;
    for (const name in headers) count += valuesOf(headers[name]).length;
    this.#varint(count);
    for (const name in headers)
      for (const one of valuesOf(headers[name])) {
        this.#field(name);
        this.#field(one);
      }
  }

  #field(value: WireValue | null): void {
    if (value === null) {
      this.#varint(-1);
      return;
    }
    const length = bytesIn(value);
    this.#varint(length);
    if (typeof value !== 'string') this.raw.set(value, this.#at);
    // A call into the buffer costs more than a few characters.
    else if (length === value.length && length < 64)
      for (let index = 0; index < length; index += 1) this.raw[this.#at + index] = value.charCodeAt(index);
    else this.raw.write(value, this.#at);
    this.#at += length;
  }

  #varint(value: number): void {
    let left = value < 0 ? -2 * value - 1 : 2 * value;
    for (; left >= 128; left = Math.floor(left / 128)) this.raw[this.#at++] = (left % 128) | 128;
    this.raw[this.#at++] = left;
  }
}
