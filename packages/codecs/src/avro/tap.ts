import { Buffer } from 'node:buffer';
import { type Fault, FaultError, malformed, tooDeep, tooLarge, tooMany, truncated } from '../fault.ts';
import { copyOf, lengthOf, readText, writeShort, writeText } from '../text.ts';
import { TapClass } from './avsc.ts';

/** What a body may hold at most. */
export interface Limits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  readonly maxValues: number;
}

/**
 * A tap of avsc that refuses what avsc reads on with: the end of the bytes, lengths beyond it or below zero, numbers of more than 64
 * bits, ints of more than 32 bits, text that is no UTF-8. It counts values and depth for the types that ask it to.
 */
export class GuardedTap extends TapClass {
  /** Values that the body may still become. */
  #values = 0;
  /** How many recursive records may still stand inside one another. */
  depth = 0;
  readonly limits: Limits;
  readonly #most: number;

  constructor(limits: Limits) {
    super(nothing);
    this.limits = limits;
    this.#most = limits.maxBytes;
  }

  start(bytes: Buffer, position: number): void {
    this.buf = bytes;
    this.pos = position;
    this.#values = this.limits.maxValues;
    this.depth = this.limits.maxDepth;
  }

  refuse(fault: Fault): never {
    throw new FaultError(fault);
  }

  /** Bytes that must be there. */
  advance(length: number): number {
    const from = this.pos;
    // Not `>`: the length may be no number at all.
    if (!(length >= 0 && length <= this.buf.length - from)) this.refuse(wrongLength(length, from, this.buf.length));
    this.pos = from + length;
    return from;
  }

  /**
   * The count of a block of an array or map, zero at its end. `least`: the smallest size of an item, so that a count that the rest of the
   * body cannot hold is refused before anything is made for it. `weight`: what an item counts.
   */
  readCount(least: number, weight: number): number {
    let count = this.readLong();
    if (count === 0) return 0;
    const at = this.pos;
    if (count < 0) {
      count = -count;
      // The size of the block, which only a reader that skips needs.
      this.skipLong();
    }
    if (!(count * least <= this.buf.length - this.pos))
      this.refuse(malformed(`a count of ${count} items, more than the body can hold,`, at));
    this.spend(count * weight);
    return count;
  }

  /** Before so many values are made. */
  spend(values: number): void {
    this.#values -= values;
    if (this.#values < 0) this.refuse(tooMany(this.limits.maxValues, this.pos));
  }

  /** Before a record that can hold itself. */
  enter(): void {
    if (this.depth === 0) this.refuse(tooDeep(this.limits.maxDepth, `byte ${this.pos}`));
    this.depth -= 1;
  }

  override readLong(): number {
    const { buf } = this;
    let at = this.pos;
    let byte = buf[at++] as number;
    // Most are one byte: counts, branches, lengths.
    if (byte < 0x80) {
      this.pos = at;
      return (byte >> 1) ^ -(byte & 1);
    }
    let low = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = buf[at++] as number;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.pos = at;
        return (low >> 1) ^ -(low & 1);
      }
    }
    return this.#readLarge(low, at);
  }

  /** The rest above 28 bits. avsc doubles and halves numbers there, and loses the last bit of those beyond 2^52. */
  #readLarge(low: number, from: number): number {
    const { buf } = this;
    let high = 0;
    let scale = 1;
    for (let at = from; at < from + 6; at += 1) {
      const byte = buf[at];
      if (byte === undefined) this.refuse(truncated(buf.length));
      high += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (byte > 1 && at === from + 5) break;
        this.pos = at + 1;
        const half = high * 2 ** 27 + (low >>> 1);
        return (low & 1) === 1 ? -half - 1 : half;
      }
    }
    return this.refuse(malformed(tooWide, this.pos));
  }

  override readInt(): number {
    const at = this.pos;
    const value = this.readLong();
    if (value !== (value | 0)) this.refuse(malformed('an int of more than 32 bits', at));
    return value;
  }

  readBoolean(): boolean {
    const byte = this.buf[this.advance(1)] as number;
    if (byte > 1) this.refuse(malformed('a boolean that is neither 0 nor 1', this.pos - 1));
    return byte === 1;
  }

  readFloat(): number {
    return this.buf.readFloatLE(this.advance(4));
  }

  readDouble(): number {
    return this.buf.readDoubleLE(this.advance(8));
  }

  override readString(): string {
    const length = this.readLong();
    const from = this.advance(length);
    return readText(this.buf, from, this.pos);
  }

  readBytes(): Buffer {
    return this.readFixed(this.readLong());
  }

  readFixed(length: number): Buffer {
    const from = this.advance(length);
    return copyOf(this.buf, from, this.pos);
  }

  override unpackLongBytes(): Buffer {
    const from = this.pos;
    this.skipLong();
    this.pos = from;
    return super.unpackLongBytes();
  }

  override skipLong(): void {
    const { buf, pos } = this;
    for (let at = pos; at < pos + 10; at += 1) {
      const byte = buf[at];
      if (byte === undefined) this.refuse(truncated(buf.length));
      if (byte < 0x80) {
        if (byte > 1 && at === pos + 9) break;
        this.pos = at + 1;
        return;
      }
    }
    this.refuse(malformed(tooWide, pos));
  }

  skipInt(): void {
    this.readInt();
  }

  skipBoolean(): void {
    this.readBoolean();
  }

  skipFloat(): void {
    this.advance(4);
  }

  skipDouble(): void {
    this.advance(8);
  }

  skipFixed(length: number): void {
    this.advance(length);
  }

  skipBytes(): void {
    this.advance(this.readLong());
  }

  override skipString(): void {
    this.advance(this.readLong());
  }

  override writeLong(value: number): void {
    // Whatever grows without end writes a count or a branch each time.
    if (this.pos > this.#most) this.refuse(tooLarge(this.#most));
    if (value >= -64 && value < 64) {
      this.buf[this.pos] = value >= 0 ? value << 1 : (~value << 1) | 1;
      this.pos += 1;
    } else if (value >= -(2 ** 30) && value < 2 ** 30) super.writeLong(value);
    else this.#writeLarge(value);
  }

  #writeLarge(value: number): void {
    const half = value >= 0 ? value : -value - 1;
    let rest = (half % 2 ** 27) * 2 + (value >= 0 ? 0 : 1);
    for (let i = 0; i < 4; i += 1) {
      this.buf[this.pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    for (rest = Math.floor(half / 2 ** 27); rest > 0x7f; rest >>>= 7) this.buf[this.pos++] = (rest & 0x7f) | 0x80;
    this.buf[this.pos++] = rest;
  }

  override writeString(text: string): void {
    const { buf, pos } = this;
    if (writeShort(buf, pos + 1, text)) {
      buf[pos] = text.length << 1;
      this.pos = pos + 1 + text.length;
    } else this.#writeLongText(text);
  }

  #writeLongText(text: string): void {
    const length = lengthOf(text);
    this.writeLong(length);
    const at = this.pos;
    this.pos = at + length;
    // The codec sees it by the position, and writes once more with room enough.
    if (this.pos <= this.buf.length) writeText(this.buf, at, text, length);
  }
}

const tooWide = 'a number of more than 64 bits';

const nothing = Buffer.alloc(0);

const wrongLength = (length: number, at: number, end: number): Fault =>
  length >= 0 && at <= end ? truncated(end) : malformed('a length below zero', at);
