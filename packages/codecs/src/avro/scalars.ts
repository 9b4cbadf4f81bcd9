import { Buffer } from 'node:buffer';
import { FaultError, imprecise } from '../fault.ts';
import { fitsFloat } from '../numbers.ts';
import { classes, type Inner, longWith, type Tap } from './avsc.ts';

/** Bytes of other kinds as avsc takes them; what are no bytes as they are. */
export const bufferOf = (value: unknown): unknown =>
  value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value;

type Hook = ((value: unknown, type: Inner) => void) | undefined;

/** A check as avsc makes it: says what it found to whoever explains a refusal. */
function verdict(holds: boolean, value: unknown, type: Inner, hook: unknown): boolean {
  if (!holds) (hook as Hook)?.(value, type);
  return holds;
}

/** Also takes what is no Buffer. */
export class GuardedBytes extends classes.BytesType {
  override _check(value: unknown, flags?: number, hook?: unknown, path?: string[]): boolean {
    return super._check(bufferOf(value), flags, hook, path);
  }

  override _write(tap: Tap, value: unknown): void {
    super._write(tap, bufferOf(value));
  }
}

/** The same, of one length. */
export class GuardedFixed extends classes.FixedType {
  override _check(value: unknown, flags?: number, hook?: unknown, path?: string[]): boolean {
    return super._check(bufferOf(value), flags, hook, path);
  }

  override _write(tap: Tap, value: unknown): void {
    super._write(tap, bufferOf(value));
  }
}

/** avsc looks a symbol up in a plain object, where "constructor" is always found, and written as the first symbol. */
export class GuardedEnum extends classes.EnumType {
  override _check(value: unknown, _flags?: number, hook?: unknown): boolean {
    return verdict(typeof value === 'string' && typeof this._indices?.[value] === 'number', value, this, hook);
  }

  override _write(tap: Tap, value: unknown): void {
    const index = typeof value === 'string' ? this._indices?.[value] : undefined;
    if (typeof index !== 'number') throw new TypeError('no symbol of the enum');
    tap.writeLong(index);
  }
}

/** Refuses what 32 bits would make infinite. */
export class GuardedFloat extends classes.FloatType {
  override _check(value: unknown, _flags?: number, hook?: unknown): boolean {
    return verdict(typeof value === 'number' && fitsFloat(value), value, this, hook);
  }

  override _write(tap: Tap, value: unknown): void {
    if (typeof value === 'number' && !fitsFloat(value)) throw new TypeError('no float');
    super._write(tap, value);
  }
}

/** A long as a number. avsc's own refuses the outermost two that a number holds. */
export class GuardedLong extends classes.LongType {
  override _check(value: unknown, _flags?: number, hook?: unknown): boolean {
    return verdict(Number.isSafeInteger(value), value, this, hook);
  }

  override _write(tap: Tap, value: unknown): void {
    if (!Number.isSafeInteger(value)) throw new TypeError('no long');
    tap.writeLong(value as number);
  }

  override _read(tap: Tap): number {
    const at = tap.pos;
    const value = tap.readLong();
    if (!Number.isSafeInteger(value))
      throw new FaultError(imprecise(`byte ${at}`, "Set longs to 'bigint', or correct the producer."));
    return value;
  }
}

/** A long as a bigint. */
export const bigLong = (): Inner =>
  longWith({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    },
    fromJSON: (value: number | string) => BigInt(value),
    toJSON: (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value)),
    isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
    compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
  });
