import { Buffer, isUtf8 } from 'node:buffer';
import { FaultError, loneSurrogate, malformed } from './fault.ts';

/** Up to this length the engine builds a string faster than it calls into native code. */
const short = 12;

const { fromCharCode } = String;

/** What `toString('utf8', from, to)` calls after looking at its arguments, which costs as much as reading a short string. */
type Sliced = Buffer & { utf8Slice(from: number, to: number): string };

/** Text in UTF-8 between two offsets within the bytes. What is no UTF-8 is refused, never repaired. */
export function readText(bytes: Buffer, from: number, to: number): string {
  if (to - from > short) return decode(bytes, from, to);
  let text = '';
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    if ((a | b | c | d) >= 0x80) return decode(bytes, from, to);
    text += fromCharCode(a, b, c, d);
  }
  for (; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return decode(bytes, from, to);
    text += fromCharCode(byte);
  }
  return text;
}

function decode(bytes: Buffer, from: number, to: number): string {
  const text = (bytes as Sliced).utf8Slice(from, to);
  // A decoder that repairs leaves this mark; few texts have it of their own.
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(from, to)))
    throw new FaultError(malformed('a string that is not UTF-8', from));
  return text;
}

/** Up to this length a loop writes a string faster than native code, and its length is one byte in Avro and Protobuf. */
const shortWritten = 40;

/** Writes a short text of ASCII and says so; of any other text nothing that counts. */
export function writeShort(bytes: Buffer, at: number, text: string): boolean {
  const { length } = text;
  if (length > shortWritten || at + length > bytes.length) return false;
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    bytes[at + i] = unit;
  }
  return true;
}

/** Bytes of a text in UTF-8. Throws for half surrogate pairs, which it has no bytes for. */
export function lengthOf(text: string): number {
  const length = Buffer.byteLength(text);
  if (length !== text.length && !isWellFormed(text)) throw new FaultError(loneSurrogate('$'));
  return length;
}

/** What `write(text, at, length, 'utf8')` calls after looking at its arguments. */
type Written = Buffer & { utf8Write(text: string, at: number, length: number): number };

/** Writes a text of that many bytes. */
export function writeText(bytes: Buffer, at: number, text: string, length: number): void {
  (bytes as Written).utf8Write(text, at, length);
}

/** Bytes that outlive the body: a copy, as a view would keep all of it in memory. */
export function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}

/** Without half surrogate pairs, for which UTF-8 has no bytes. In Node 20; the library that the compiler knows is older. */
export const isWellFormed = (text: string): boolean => (text as unknown as { isWellFormed(): boolean }).isWellFormed();
