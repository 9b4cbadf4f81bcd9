import { CodecError } from '../errors.ts';
import type { OrderedPosition, Progress } from './watermark.ts';

/** Which type a progress has its positions in. */
export type PositionKind = 'number' | 'bigint' | 'string';

/**
 * Progress as short text, for places with little room (Kafka: 4,096 characters of commit metadata). Numbers: the low watermark, then for
 * each run its distance from the end of the one before and its further length, in base 36: `2s;2.8,3` is 100 with 102 to 110 and 113.
 * Strings: JSON.
 */
export function formatProgress<P extends OrderedPosition>(progress: Progress<P>): string {
  const { low, done } = progress;
  if (typeof low === 'string')
    return JSON.stringify([low, ...done.map(([first, last]) => (first === last ? [first] : [first, last]))]);
  let end = BigInt(low);
  const runs = done.map(([first, last]) => {
    const [from, to] = [BigInt(first), BigInt(last)];
    const text = (from - end).toString(36) + (to === from ? '' : `.${(to - from).toString(36)}`);
    end = to;
    return text;
  });
  return BigInt(low).toString(36) + (runs.length === 0 ? '' : `;${runs.join(',')}`);
}

/** Reads what {@link formatProgress} wrote. Throws a `CodecError` for anything else: begin at what is known otherwise, with nothing done. */
export function parseProgress(text: string, kind: 'number'): Progress<number>;
export function parseProgress(text: string, kind: 'bigint'): Progress<bigint>;
export function parseProgress(text: string, kind: 'string'): Progress<string>;
export function parseProgress(
  text: string,
  kind: PositionKind,
): Progress<number> | Progress<bigint> | Progress<string> {
  if (kind === 'string') return parseStrings(text);
  const progress = parseNumbers(text);
  if (kind === 'bigint') return progress;
  const numberOf = (value: bigint): number => {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw unreadable(text, `${value} is too large for a number`);
    return number;
  };
  return { low: numberOf(progress.low), done: progress.done.map(([first, last]) => [numberOf(first), numberOf(last)]) };
}

function parseStrings(text: string): Progress<string> {
  const [low, ...runs] = arrayIn(text);
  if (typeof low !== 'string') throw unreadable(text, 'it does not begin with a position');
  let end = low;
  const done = runs.map((run): readonly [string, string] => {
    const [first, last = first, ...more] = Array.isArray(run) ? (run as readonly unknown[]) : [];
    const fine = typeof first === 'string' && typeof last === 'string' && more.length === 0;
    if (!fine || first <= end || last < first) throw unreadable(text, 'its runs do not ascend');
    end = last;
    return [first, last];
  });
  return { low, done };
}

function arrayIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch {
    // Reported below, with the text.
  }
  throw unreadable(text, 'it is no JSON array');
}

/** Numbers in base 36 are read digit by digit: `parseInt` would round what is above 2^53. */
function parseNumbers(text: string): Progress<bigint> {
  if (!/^-?[0-9a-z]{1,13}(;[0-9a-z]{1,13}(\.[0-9a-z]{1,13})?(,[0-9a-z]{1,13}(\.[0-9a-z]{1,13})?)*)?$/.test(text)) {
    throw unreadable(text, 'it has another form');
  }
  const [start = '', runs = ''] = text.split(';');
  const low = start.startsWith('-') ? -base36(start.slice(1)) : base36(start);
  let end = low;
  const done =
    runs === ''
      ? []
      : runs.split(',').map((run): readonly [bigint, bigint] => {
          const [distance = '', length = '0'] = run.split('.');
          const first = end + base36(distance);
          if (first === end) throw unreadable(text, 'its runs do not ascend');
          end = first + base36(length);
          return [first, end];
        });
  return { low, done };
}

/** `BigInt()` reads no base 36. */
export const base36 = (digits: string): bigint => {
  let value = 0n;
  for (const digit of digits) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  return value;
};

/** The error of text that is no progress. */
export const unreadable = (text: string, cause: string): CodecError =>
  new CodecError(
    'progress',
    `core: cannot read the progress "${text.length > 60 ? `${text.slice(0, 60)}…` : text}": ${cause}. Begin at the committed position.`,
  );
