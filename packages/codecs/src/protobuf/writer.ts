import { Buffer } from 'node:buffer';
import { type Fault, FaultError, tooDeep, tooLarge, unsafeKey } from '../fault.ts';
import type { LimitOptions } from '../limits.ts';
import { fitsFloat } from '../numbers.ts';
import { below, kindOf } from '../path.ts';
import { lengthOf, writeShort, writeText } from '../text.ts';
import type { Longs } from './reader.ts';

/** Room that is kept for the next body, at most. */
const kept = 256 * 1024;

/** Of a tag and a number, the most that is written without asking for room. */
const step = 24;

/** Writes the wire format, each scalar after a look at what it is, into one buffer again and again. */
export class WireWriter {
  /** The field at hand, for errors. Empty for an item, whose place the writer of its array adds. */
  at = '';
  #buf: Buffer = Buffer.allocUnsafeSlow(4 * 1024);
  #pos = 0;
  readonly #limits: Required<LimitOptions>;
  readonly #longs: Longs;

  constructor(limits: Required<LimitOptions>, longs: Longs) {
    this.#limits = limits;
    this.#longs = longs;
  }

  start(prefix: Uint8Array | undefined): void {
    this.#pos = 0;
    this.at = '';
    if (prefix === undefined) return;
    this.#reserve(prefix.length);
    this.#buf.set(prefix);
    this.#pos = prefix.length;
  }

  /** A copy of what was written. */
  finish(): Buffer {
    const { maxBytes } = this.#limits;
    if (this.#pos > maxBytes) throw new FaultError(tooLarge(maxBytes, this.#pos));
    const body = Buffer.allocUnsafe(this.#pos);
    this.#buf.copy(body, 0, 0, this.#pos);
    if (this.#buf.length > kept) this.#buf = Buffer.allocUnsafeSlow(4 * 1024);
    return body;
  }

  refuse(fault: Omit<Fault, 'at'>): never {
    throw new FaultError({ ...fault, at: this.at === '' ? '' : below('', this.at) });
  }

  wrong(value: unknown, wanted: string): never {
    return this.refuse({ problem: `${kindOf(value)} where the schema has ${wanted}`, advice });
  }

  tooDeep(): never {
    return this.refuse(tooDeep(this.#limits.maxDepth, ''));
  }

  /** The fault of something within a field: the path grows at its front on the way out. */
  within(error: unknown, name: string, key?: number | string): unknown {
    if (!(error instanceof FaultError)) return error;
    const place = key === undefined ? below('', name) : below(below('', name), String(key));
    const inner = error.fault.at === '$' ? '' : (error.fault.at ?? '');
    return new FaultError({ ...error.fault, at: place + inner });
  }

  /** A tag, and room for the number after it. */
  tag(tag: number): void {
    this.room();
    this.#unsigned(tag);
  }

  room(): void {
    if (this.#pos + step > this.#buf.length) this.#reserve(step);
  }

  /** Enters what has its length before it; `end` must be told what it gives. */
  begin(): number {
    this.room();
    this.#pos += 1;
    return this.#pos;
  }

  end(from: number): void {
    const length = this.#pos - from;
    if (length < 0x80) {
      this.#buf[from - 1] = length;
      return;
    }
    // More than one byte: what was written moves on.
    const more = length < 2 ** 14 ? 1 : length < 2 ** 21 ? 2 : length < 2 ** 28 ? 3 : 4;
    this.#reserve(more);
    this.#buf.copyWithin(from + more, from, this.#pos);
    this.#pos = from - 1;
    this.#unsigned(length);
    this.#pos += length;
  }

  double(value: unknown): void {
    if (typeof value !== 'number') this.wrong(value, 'a double');
    this.#pos = this.#buf.writeDoubleLE(value, this.#pos);
  }

  float(value: unknown): void {
    if (typeof value !== 'number' || !fitsFloat(value)) this.wrong(value, 'a float');
    this.#pos = this.#buf.writeFloatLE(value, this.#pos);
  }

  int32(value: unknown): void {
    if (typeof value !== 'number' || (value | 0) !== value) this.wrong(value, 'an int32');
    if (value >= 0) this.#unsigned(value);
    else this.#halves(value >>> 0, 0xffff_ffff);
  }

  uint32(value: unknown): void {
    if (typeof value !== 'number' || value >>> 0 !== value) this.wrong(value, 'a uint32');
    this.#unsigned(value);
  }

  sint32(value: unknown): void {
    if (typeof value !== 'number' || (value | 0) !== value) this.wrong(value, 'a sint32');
    this.#unsigned(((value << 1) ^ (value >> 31)) >>> 0);
  }

  fixed32(value: unknown): void {
    if (typeof value !== 'number' || value >>> 0 !== value) this.wrong(value, 'a fixed32');
    this.#pos = this.#buf.writeUInt32LE(value, this.#pos);
  }

  sfixed32(value: unknown): void {
    if (typeof value !== 'number' || (value | 0) !== value) this.wrong(value, 'a sfixed32');
    this.#pos = this.#buf.writeInt32LE(value, this.#pos);
  }

  int64(value: unknown): void {
    const high = this.#high(value, 'an int64', true);
    this.#halves(lowOf(value), high >>> 0);
  }

  uint64(value: unknown): void {
    const high = this.#high(value, 'a uint64', false);
    this.#halves(lowOf(value), high);
  }

  sint64(value: unknown): void {
    const high = this.#high(value, 'a sint64', true);
    const low = lowOf(value);
    const sign = high >> 31;
    this.#halves(((low << 1) ^ sign) >>> 0, (((high << 1) | (low >>> 31)) ^ sign) >>> 0);
  }

  fixed64(value: unknown): void {
    const high = this.#high(value, 'a fixed64', false);
    this.#pos = this.#buf.writeUInt32LE(high, this.#buf.writeUInt32LE(lowOf(value), this.#pos));
  }

  sfixed64(value: unknown): void {
    const high = this.#high(value, 'a sfixed64', true);
    this.#pos = this.#buf.writeInt32LE(high, this.#buf.writeUInt32LE(lowOf(value), this.#pos));
  }

  bool(value: unknown): void {
    if (typeof value !== 'boolean') this.wrong(value, 'a bool');
    this.#buf[this.#pos++] = value ? 1 : 0;
  }

  string(value: unknown): void {
    if (typeof value !== 'string') this.wrong(value, 'a string');
    if (writeShort(this.#buf, this.#pos + 1, value)) {
      this.#buf[this.#pos] = value.length;
      this.#pos += 1 + value.length;
      return;
    }
    let length: number;
    try {
      length = lengthOf(value);
    } catch (error) {
      throw this.at === '' ? error : this.within(error, this.at);
    }
    this.#reserve(length + step);
    this.#unsigned(length);
    writeText(this.#buf, this.#pos, value, length);
    this.#pos += length;
  }

  bytes(value: unknown): void {
    if (!(value instanceof Uint8Array)) this.wrong(value, 'bytes');
    this.#reserve(value.length + step);
    this.#unsigned(value.length);
    this.#buf.set(value, this.#pos);
    this.#pos += value.length;
  }

  /** The number of a symbol. A number is one that the schema does not know, where it may be. */
  symbol(numbers: ReadonlyMap<string, number>, open: boolean, value: unknown, name: string): number {
    const number = typeof value === 'string' ? numbers.get(value) : undefined;
    if (number !== undefined) return number;
    if (typeof value !== 'number' || (value | 0) !== value || !open)
      this.wrong(value, `a symbol of ${name} (${[...numbers.keys()].slice(0, 10).join(', ')})`);
    return value;
  }

  /** The entries of a map: a plain object, or one without a prototype. */
  keysOf(value: unknown): string[] {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.wrong(value, 'a map');
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) this.wrong(value, 'a map');
    const keys = Object.keys(value);
    for (const key of keys)
      if (key === '__proto__' || (key === 'constructor' && hasPrototype((value as Record<string, unknown>)[key])))
        this.refuse(unsafeKey(key, ''));
    return keys;
  }

  /** A key that is no string in the schema. */
  key(type: string, key: string): unknown {
    if (type === 'bool')
      return key === 'true' ? true : key === 'false' ? false : this.wrong(key, 'a key true or false');
    if (!/^(0|-?[1-9]\d{0,19})$/.test(key)) this.wrong(key, `a key that is a ${type}`);
    if (type.endsWith('32')) return Number(key);
    if (this.#longs === 'string') return key;
    return this.#longs === 'bigint' ? BigInt(key) : Number(key);
  }

  /** The upper half of a 64-bit integer, after a look at it. */
  #high(value: unknown, wanted: string, signed: boolean): number {
    if (this.#longs === 'number' && typeof value === 'number' && Number.isSafeInteger(value) && (signed || value >= 0))
      return Math.floor(value / 2 ** 32);
    const big =
      this.#longs === 'bigint' && typeof value === 'bigint'
        ? value
        : this.#longs === 'string' && typeof value === 'string' && /^-?\d{1,20}$/.test(value)
          ? BigInt(value)
          : undefined;
    if (big === undefined || (signed ? BigInt.asIntN(64, big) : BigInt.asUintN(64, big)) !== big)
      this.wrong(value, `${wanted} (as ${this.#longs === 'number' ? 'a number up to 2^53' : `a ${this.#longs}`})`);
    return Number(big >> 32n);
  }

  #unsigned(value: number): void {
    const buf = this.#buf;
    let rest = value;
    while (rest > 0x7f) {
      buf[this.#pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buf[this.#pos++] = rest;
  }

  #halves(low: number, high: number): void {
    const buf = this.#buf;
    while (high > 0 || low > 0x7f) {
      buf[this.#pos++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    buf[this.#pos++] = low;
  }

  #reserve(length: number): void {
    const wanted = this.#pos + length;
    if (wanted <= this.#buf.length) return;
    // The step may lie beyond the end, the body may not.
    if (wanted - step > this.#limits.maxBytes) throw new FaultError(tooLarge(this.#limits.maxBytes));
    const larger = Buffer.allocUnsafeSlow(wanted * 2);
    this.#buf.copy(larger, 0, 0, this.#pos);
    this.#buf = larger;
  }
}

const advice = 'Correct the value, or the schema of its version.';

/** The lower half of a 64-bit integer that `#high` has looked at. */
const lowOf = (value: unknown): number =>
  typeof value === 'number'
    ? value - Math.floor(value / 2 ** 32) * 2 ** 32
    : Number(BigInt(value as string) & 0xffff_ffffn);

const hasPrototype = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
