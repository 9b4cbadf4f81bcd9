import { Buffer } from 'node:buffer';
import type { Message } from '../message.ts';

/** A key or a header's value as brokers give and take it. */
export type WireValue = string | Uint8Array;

/** Headers as brokers give and take them; several values where a name stands more than once. */
export type WireHeaders = Readonly<Record<string, WireValue | readonly WireValue[] | undefined>>;

/** Text of keys and headers, and their bytes where text cannot carry them. */
type RawHeaders = readonly (readonly [string, Uint8Array])[];

/**
 * Headers as text under lower-case names; of several values the last. `raw` has all of them as bytes when something would be lost: bytes
 * that are no UTF-8, a name with capitals, a name more than once.
 */
function readHeaders(given: WireHeaders): {
  readonly headers: Record<string, string>;
  readonly raw: RawHeaders | undefined;
} {
  const headers: Record<string, string> = {};
  let lossless = true;
  for (const name in given) {
    const values = given[name];
    // Assigning to `__proto__` would set the prototype.
    if (values === undefined || name === '__proto__') continue;
    const value = isList(values) ? values.at(-1) : values;
    lossless &&= !isList(values) || values.length === 1;
    if (value === undefined) continue;
    const lower = name.toLowerCase();
    const text = textOf(value);
    lossless &&= lower === name && text !== undefined;
    headers[lower] = text ?? lossyTextOf(value);
  }
  return { headers, raw: lossless ? undefined : allBytes(given) };
}

/** The key as text; a key that is no UTF-8 in base64, with its bytes as `raw`. */
function readKey(key: WireValue | null | undefined): {
  readonly key: string | undefined;
  readonly raw: Uint8Array | undefined;
} {
  if (key === null || key === undefined) return { key: undefined, raw: undefined };
  const text = textOf(key);
  if (text !== undefined || typeof key === 'string') return { key: text, raw: undefined };
  return { key: viewOf(key).toString('base64'), raw: key };
}

/** What a record has whatever its format, as text, with the bytes that text cannot carry. */
export interface RecordParts {
  readonly key: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | null;
  readonly raw: Message['raw'];
}

/** Reads what a record has whatever its format. */
export function readParts(record: {
  readonly key: WireValue | null | undefined;
  readonly headers: WireHeaders;
  readonly body: Uint8Array | null;
}): RecordParts {
  const { headers, raw: rawHeaders } = readHeaders(record.headers);
  const { key, raw: rawKey } = readKey(record.key);
  const lossless = rawHeaders === undefined && rawKey === undefined;
  const raw = lossless ? undefined : { ...(rawKey && { key: rawKey }), ...(rawHeaders && { headers: rawHeaders }) };
  return { key, headers, body: record.body, raw };
}

/** A message of what its format says and what every record has. */
export function messageOf(
  head: Pick<Message, 'id' | 'type' | 'source' | 'time' | 'headers'>,
  parts: RecordParts,
): Message {
  const { id, type, source, time, headers } = head;
  const { key, body, raw } = parts;
  // Two shapes for nearly all messages.
  const message =
    key === undefined ? { id, type, source, time, headers, body } : { id, type, source, time, key, headers, body };
  return raw === undefined ? message : { ...message, raw };
}

/** The key to send: the original bytes as long as nobody gave the message another key. */
export function wireKey({ key, raw }: Message): WireValue | undefined {
  return raw?.key !== undefined && readKey(raw.key).key === key ? raw.key : key;
}

/** The headers to send, those that `keep` names: original bytes as long as nobody changed the text, else the text. */
export function wireHeaders({ headers, raw }: Message, keep: (name: string) => boolean): WireHeaders {
  const sent: Record<string, WireValue | WireValue[]> = {};
  for (const name in headers) if (keep(name)) sent[name] = headers[name] as string;
  if (raw?.headers === undefined) return sent;
  const { headers: original } = readHeaders(grouped(raw.headers));
  for (const name in original) if (headers[name] === original[name]) delete sent[name];
  for (const [name, bytes] of raw.headers) {
    const lower = name.toLowerCase();
    if (!keep(lower) || headers[lower] !== original[lower] || original[lower] === undefined) continue;
    const before = sent[name];
    sent[name] = before === undefined ? bytes : [...(isList(before) ? before : [before]), bytes];
  }
  return sent;
}

function grouped(raw: RawHeaders): WireHeaders {
  const groups: Record<string, WireValue[]> = {};
  for (const [name, bytes] of raw) (groups[name] ??= []).push(bytes);
  return groups;
}

/** All values in order, as bytes. */
function allBytes(given: WireHeaders): RawHeaders {
  const all: [string, Uint8Array][] = [];
  for (const [name, values] of Object.entries(given)) {
    if (values === undefined || name === '__proto__') continue;
    for (const value of isList(values) ? values : [values])
      all.push([name, typeof value === 'string' ? Buffer.from(value) : value]);
  }
  return all;
}

const isList = (value: WireValue | readonly WireValue[]): value is readonly WireValue[] => Array.isArray(value);

const lossyTextOf = (value: WireValue): string => (typeof value === 'string' ? value : viewOf(value).toString('utf8'));

const viewOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Undefined: the bytes are no UTF-8. */
function textOf(value: WireValue): string | undefined {
  if (typeof value === 'string') return value;
  const view = viewOf(value);
  const text = view.toString('utf8');
  // A replacement character may stand in the bytes themselves.
  return !text.includes('\uFFFD') || Buffer.from(text).equals(view) ? text : undefined;
}
