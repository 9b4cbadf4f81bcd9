import type { WireValue } from '@bento-bus/core/adapter';

// kafkajs makes a buffer of every header and copies all headers for each one: two thirds of what consuming costs. This decodes fetch
// responses of version 11 (the newest that kafkajs asks for); of compressed batches kafkajs' own decoder takes care, unless it is told how to
// unpack them.

/** What kafkajs and we read of a record. Text where bytes are UTF-8. */
interface DecodedRecord {
  readonly offset: string;
  readonly timestamp: number;
  readonly key: WireValue | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, WireValue | WireValue[]>;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

/** What a fetch brought of a partition. */
interface DecodedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly lastStartOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly preferredReadReplica: number;
  readonly messages: readonly DecodedRecord[];
  /** The offset after the last batch, whose last records may have been compacted away. Undefined: there is none. */
  readonly next: number | undefined;
}

/** Unpacks records by the number of their compression in the protocol. */
export type Decompress = (compression: number, packed: Buffer) => Buffer;

/** The body of a response, as kafkajs' decoder gives it. */
export interface DecodedFetch {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly DecodedPartition[] }[];
}

const transactional = 0x10;
const control = 0x20;
const compression = 0x07;
const logAppendTime = 0x08;
/** From the start of a batch to its first record. */
const batchHeader = 61;

/** Undefined: there is something in it that only kafkajs decodes. Source: https://kafka.apache.org/protocol, "Fetch API", "Record Batch". */
export function decodeFetch(raw: Buffer, decompress?: Decompress): DecodedFetch | undefined {
  const reader = new Reader(raw, decompress);
  const clientSideThrottleTime = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const responses: { readonly topicName: string; readonly partitions: readonly DecodedPartition[] }[] = [];
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    const topicName = reader.text(reader.int16());
    const partitions: DecodedPartition[] = [];
    for (let count = reader.int32(); count > 0; count -= 1) {
      const partition = reader.partition();
      if (partition === undefined) return undefined;
      partitions.push(partition);
    }
    responses.push({ topicName, partitions });
  }
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

class Reader {
  readonly #raw: Buffer;
  #at = 0;
  /** Names and values of the headers of the record before: most are the same. */
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  readonly #decompress: Decompress | undefined;
  #next: number | undefined;

  constructor(raw: Buffer, decompress?: Decompress) {
    this.#raw = raw;
    this.#decompress = decompress;
  }

  int16(): number {
    this.#at += 2;
    return this.#raw.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#raw.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#raw.readBigInt64BE(this.#at - 8);
  }

  text(length: number): string {
    this.#at += length;
    return this.#raw.toString('utf8', this.#at - length, this.#at);
  }

  partition(): DecodedPartition | undefined {
    const head = {
      partition: this.int32(),
      errorCode: this.int16(),
      highWatermark: String(this.int64()),
      lastStableOffset: String(this.int64()),
      lastStartOffset: String(this.int64()),
    };
    const abortedTransactions: { readonly producerId: string; readonly firstOffset: string }[] = [];
    for (let count = this.int32(); count > 0; count -= 1)
      abortedTransactions.push({ producerId: String(this.int64()), firstOffset: String(this.int64()) });
    const preferredReadReplica = this.int32();
    this.#next = undefined;
    const messages = this.#batches(Math.max(0, this.int32()));
    return messages && { ...head, abortedTransactions, preferredReadReplica, messages, next: this.#next };
  }

  #batches(size: number): DecodedRecord[] | undefined {
    const records: DecodedRecord[] = [];
    const end = this.#at + size;
    // The last batch may be cut off.
    for (let start = this.#at; start + batchHeader <= end; ) {
      const next = start + 12 + this.#raw.readInt32BE(start + 8);
      if (next > end) break;
      const attributes = this.#raw.readInt16BE(start + 21);
      if (this.#raw[start + 16] !== 2) return undefined;
      if ((attributes & compression) === 0) this.#batch(start, attributes, records, this, start + batchHeader);
      else {
        if (this.#decompress === undefined) return undefined;
        const packed = this.#raw.subarray(start + batchHeader, next);
        this.#batch(start, attributes, records, new Reader(this.#decompress(attributes & compression, packed)), 0);
      }
      start = next;
    }
    this.#at = end;
    return records;
  }

  /** `body` has the records from `at` on. */
  #batch(start: number, attributes: number, records: DecodedRecord[], body: Reader, at: number): void {
    const raw = this.#raw;
    const first = Number(raw.readBigInt64BE(start));
    const firstTime = Number(raw.readBigInt64BE(start + 27));
    const lastTime = (attributes & logAppendTime) === 0 ? undefined : Number(raw.readBigInt64BE(start + 35));
    const batchContext = {
      producerId: String(raw.readBigInt64BE(start + 43)),
      inTransaction: (attributes & transactional) !== 0,
    };
    const isControlRecord = (attributes & control) !== 0;
    this.#next = first + raw.readInt32BE(start + 23) + 1;
    body.#at = at;
    for (let count = raw.readInt32BE(start + 57); count > 0; count -= 1) {
      const end = body.#varint() + body.#at;
      // Its attributes, of which none are in use.
      body.#at += 1;
      const time = firstTime + body.#varint();
      const offset = String(first + body.#varint());
      const key = isControlRecord ? body.#bytes() : body.#value(0);
      const value = body.#bytes();
      const headers = body.#headers();
      records.push({ offset, timestamp: lastTime ?? time, key, value, headers, isControlRecord, batchContext });
      body.#at = end;
    }
  }

  #headers(): DecodedRecord['headers'] {
    const headers: DecodedRecord['headers'] = {};
    const count = this.#varint();
    if (count > this.#raw.length - this.#at) throw new RangeError(`a record claims to have ${count} headers`);
    for (let index = 1; index <= count; index += 1) {
      const name = (this.#names[index] = this.#same(this.#varint(), this.#names[index]));
      const value = this.#value(index) ?? '';
      // Assigning to it would set the prototype.
      if (name === '__proto__') continue;
      // The protocol lets a name stand more than once.
      if (Object.hasOwn(headers, name)) headers[name] = [headers[name] as WireValue | WireValue[], value].flat();
      else headers[name] = value;
    }
    return headers;
  }

  /** Text, or the bytes where they may be none. */
  #value(slot: number): WireValue | null {
    const length = this.#varint();
    if (length < 0) return null;
    const from = this.#at;
    const text = this.#same(length, this.#values[slot]);
    this.#values[slot] = text;
    return text.includes('\uFFFD') ? this.#raw.subarray(from, this.#at) : text;
  }

  #bytes(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    this.#at += length;
    return this.#raw.subarray(this.#at - length, this.#at);
  }

  /** The next text; the one given where it is the same: comparing is cheaper than making. */
  #same(length: number, given: string | undefined): string {
    const from = this.#at;
    this.#at += length;
    if (given?.length === length) {
      let index = 0;
      // A byte of a longer character equals no code below 128, and none above is compared.
      while (
        index < length &&
        this.#raw[from + index] === given.charCodeAt(index) &&
        (this.#raw[from + index] as number) < 128
      )
        index += 1;
      if (index === length) return given;
    }
    return this.#raw.toString('utf8', from, this.#at);
  }

  /** Zigzag; also of 64 bits, as far as a number is exact. */
  #varint(): number {
    const raw = this.#raw;
    let byte = raw[this.#at++] as number;
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 128; scale *= 128) {
      byte = raw[this.#at++] as number;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
