import { Buffer } from 'node:buffer';
import { type Fault, FaultError, imprecise, malformed, tooDeep, tooMany, truncated, unsafeKey } from '../fault.ts';
import type { LimitOptions } from '../limits.ts';
import { copyOf, readText } from '../text.ts';

/** How 64 bits become a value. */
export type Longs = 'number' | 'string' | 'bigint';

/**
 * Reads the wire format (https://protobuf.dev/programming-guides/encoding). Refuses what does not end within its bytes, numbers beyond their
 * size and what is no wire type. It counts values and depth for the readers that are made of schemas.
 */
export class WireReader {
  buf: Buffer = nothing;
  pos = 0;
  /** Where the message at hand ends. */
  end = 0;
  #values = 0;
  #low = 0;
  #high = 0;
  readonly #limits: Required<LimitOptions>;
  readonly #longs: Longs;

  constructor(limits: Required<LimitOptions>, longs: Longs) {
    this.#limits = limits;
    this.#longs = longs;
  }

  start(bytes: Buffer, position: number): void {
    this.buf = bytes;
    this.pos = position;
    this.end = bytes.length;
    this.#values = this.#limits.maxValues;
  }

  refuse(fault: Fault): never {
    throw new FaultError(fault);
  }

  tooDeep(): never {
    return this.refuse(tooDeep(this.#limits.maxDepth, `byte ${this.pos}`));
  }

  missing(name: string): never {
    return this.refuse({
      at: `byte ${this.pos}`,
      problem: `a message without its required field "${name}"`,
      advice: 'Correct the producer.',
    });
  }

  /** Before so many values are made. */
  spend(values: number): void {
    this.#values -= values;
    if (this.#values < 0) this.refuse(tooMany(this.#limits.maxValues, this.pos));
  }

  /** Enters what has its length before it. Gives what `close` must be told. */
  open(): number {
    const outer = this.end;
    const length = this.#length();
    const from = this.pos;
    if (length > outer - from) this.refuse(truncated(outer));
    this.end = from + length;
    return outer;
  }

  close(outer: number): void {
    if (this.pos !== this.end) this.refuse(truncated(this.end));
    this.end = outer;
  }

  /** A map's key that changes a prototype when a program copies or merges what was decoded, as for JSON. */
  checkKey(key: string, value: unknown): void {
    if (key === '__proto__' || (key === 'constructor' && hasPrototype(value)))
      this.refuse(unsafeKey(key, `byte ${this.pos}`));
  }

  tag(): number {
    const byte = this.buf[this.pos] as number;
    // Fields 1 to 15.
    if (byte >= 8 && byte < 0x80) {
      this.pos += 1;
      return byte;
    }
    const at = this.pos;
    this.#varint();
    if (this.#high !== 0 || this.#low < 8) this.refuse(malformed('a field with a number that is none', at));
    return this.#low;
  }

  uint32(): number {
    const byte = this.buf[this.pos] as number;
    if (byte < 0x80) {
      this.pos += 1;
      return byte;
    }
    this.#varint();
    return this.#low;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  bool(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  int64(): unknown {
    this.#varint();
    return this.#long(this.#low, this.#high | 0);
  }

  uint64(): unknown {
    this.#varint();
    return this.#long(this.#low, this.#high);
  }

  sint64(): unknown {
    this.#varint();
    const sign = -(this.#low & 1);
    return this.#long((((this.#low >>> 1) | (this.#high << 31)) ^ sign) >>> 0, (this.#high >>> 1) ^ sign);
  }

  fixed32(): number {
    return this.buf.readUInt32LE(this.#advance(4));
  }

  sfixed32(): number {
    return this.buf.readInt32LE(this.#advance(4));
  }

  fixed64(): unknown {
    const at = this.#advance(8);
    return this.#long(this.buf.readUInt32LE(at), this.buf.readUInt32LE(at + 4));
  }

  sfixed64(): unknown {
    const at = this.#advance(8);
    return this.#long(this.buf.readUInt32LE(at), this.buf.readInt32LE(at + 4));
  }

  float(): number {
    return this.buf.readFloatLE(this.#advance(4));
  }

  double(): number {
    return this.buf.readDoubleLE(this.#advance(8));
  }

  string(): string {
    const from = this.#advance(this.#length());
    return readText(this.buf, from, this.pos);
  }

  bytes(): Buffer {
    const from = this.#advance(this.#length());
    return copyOf(this.buf, from, this.pos);
  }

  /** Passes over a field that the schema does not have. `depth`: groups that may still stand inside one another. */
  skip(tag: number, depth: number): void {
    const type = tag & 7;
    if (type === 0) this.#varint();
    else if (type === 1) this.#advance(8);
    else if (type === 2) this.#advance(this.#length());
    else if (type === 5) this.#advance(4);
    else if (type === 3) this.#skipGroup(tag + 1, depth);
    else this.refuse(malformed(`a field of the wire type ${type}, which does not stand here,`, this.pos));
  }

  #skipGroup(endTag: number, depth: number): void {
    if (depth === 0) this.tooDeep();
    for (;;) {
      if (this.pos >= this.end) this.refuse(truncated(this.end));
      const tag = this.tag();
      if (tag === endTag) return;
      this.skip(tag, depth - 1);
    }
  }

  #length(): number {
    const byte = this.buf[this.pos] as number;
    if (byte < 0x80) {
      this.pos += 1;
      return byte;
    }
    this.#varint();
    return this.#high === 0 ? this.#low : this.refuse(truncated(this.end));
  }

  #advance(length: number): number {
    const from = this.pos;
    if (length > this.end - from) this.refuse(truncated(this.end));
    this.pos = from + length;
    return from;
  }

  /** Ten bytes at most, into two halves. */
  #varint(): void {
    const { buf, pos: from } = this;
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i += 1) {
      const byte = buf[from + i];
      if (byte === undefined) this.refuse(truncated(buf.length));
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 0x80) {
        if (i === 9 && byte > 1) break;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        this.pos = from + i + 1;
        return;
      }
    }
    this.refuse(malformed('a number of more than 64 bits', from));
  }

  #long(low: number, high: number): unknown {
    if (this.#longs === 'bigint') return (BigInt(high) << 32n) | BigInt(low);
    const value = high * 2 ** 32 + low;
    if (Number.isSafeInteger(value)) return this.#longs === 'number' ? value : String(value);
    if (this.#longs === 'string') return String((BigInt(high) << 32n) | BigInt(low));
    return this.refuse(imprecise(`byte ${this.pos}`, "Set longs to 'bigint' or 'string', or correct the producer."));
  }
}

const nothing = Buffer.alloc(0);

const hasPrototype = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
