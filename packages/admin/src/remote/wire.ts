import { Buffer } from 'node:buffer';
import { BentoError, type ErrorCode, isBentoError } from '@bento-bus/core';
import { thrownText } from '@bento-bus/core/adapter';

/** One line of an answer. */
export type Line =
  | { readonly item: unknown }
  | { readonly progress: unknown }
  | { readonly result: unknown }
  | { readonly error: WireError };

/** An error as it travels: no stack. */
export interface WireError {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
}

const bytes = '$bytes';

/** JSON in one line, with bytes as `{ "$bytes": base64 }`. */
export const encode = (value: unknown): string =>
  JSON.stringify(value, function (this: Record<string, unknown>, key, shown: unknown) {
    // A Buffer has turned itself into something else by now.
    const original = this[key];
    return original instanceof Uint8Array ? { [bytes]: Buffer.from(original).toString('base64') } : shown;
  });

/** Throws a `SyntaxError` for what is no JSON. */
export const decode = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown) =>
    typeof value === 'object' && value !== null && bytes in value && typeof value[bytes] === 'string'
      ? new Uint8Array(Buffer.from(value[bytes], 'base64'))
      : value,
  );

export const toWire = (error: unknown): WireError =>
  isBentoError(error)
    ? { code: error.code, message: error.message, retryable: error.retryable }
    : { message: thrownText(error) };

/** As it was thrown there; what was no `BentoError` there is `REMOTE` here. */
export const fromWire = ({ code = 'REMOTE', message, retryable = false }: WireError): BentoError =>
  new BentoError(code, message, retryable);
