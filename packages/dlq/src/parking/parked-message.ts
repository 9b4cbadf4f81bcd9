import { Buffer } from 'node:buffer';
import type { Message } from '@bento-bus/core';

/** A message as JSON: bytes in base64. */
export interface StoredMessage {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly time: number;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly raw?: { readonly key?: string; readonly headers?: readonly (readonly [string, string])[] };
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
const bytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64');

export function storeMessage({ id, type, source, time, key, headers, body, raw }: Message): StoredMessage {
  return {
    id,
    type,
    source,
    time,
    ...(key !== undefined && { key }),
    headers: { ...headers },
    body: body === null ? null : text(body),
    ...(raw !== undefined && {
      raw: {
        ...(raw.key !== undefined && { key: text(raw.key) }),
        ...(raw.headers !== undefined && { headers: raw.headers.map(([name, value]) => [name, text(value)] as const) }),
      },
    }),
  };
}

export function restoreMessage({ body, raw, ...rest }: StoredMessage): Message {
  return {
    ...rest,
    body: body === null ? null : bytes(body),
    ...(raw !== undefined && {
      raw: {
        ...(raw.key !== undefined && { key: bytes(raw.key) }),
        ...(raw.headers !== undefined && {
          headers: raw.headers.map(([name, value]) => [name, bytes(value)] as const),
        }),
      },
    }),
  };
}
