import { Buffer } from 'node:buffer';
import { type Codec, type CodecContext, CodecError, type Encoded } from '@bento-bus/core';
import { writeExactly } from './exact.ts';
import { codecError, contentType, type Fault, tooLarge } from './fault.ts';
import { type JsonCodecOptions, resolveOptions } from './options.ts';
import { isPlainJson } from './plain.ts';
import { findFault } from './scan.ts';

/** A `Codec` that never needs to wait. */
export interface JsonCodec extends Codec {
  readonly contentType: 'application/json';
  encode(value: unknown, context: CodecContext): Encoded;
}

/**
 * JSON bodies (RFC 8259 in UTF-8), as fast as `JSON` itself, with one rule: what is encoded comes back whole, or is refused.
 *
 * `encode` writes plain data. A Date is its ISO 8601 string, a bigint its decimal string, anything with a `toJSON` method what that
 * returns; the reader's schema makes dates and bigints of the strings again (`z.coerce.date()`, `z.coerce.bigint()`). A property that is
 * undefined is left out. NaN, Infinity, undefined in an array or alone, invalid dates, functions, symbols, cycles, Map, Set, bytes and
 * other class instances are refused with their path. As for `structuredClone`, symbol keys and hidden properties are no data.
 *
 * `decode` accepts what `encode` can have written, in any notation: integer literals must fit a number without loss, `1e999` does not.
 * Fractions become the nearest number, and of a repeated key the last one counts, both as in `JSON.parse`.
 *
 * Both refuse the key `__proto__`, the key `prototype` directly below `constructor`, half surrogate pairs, and more than `maxDepth` or
 * `maxBytes`; `decode` also bad UTF-8, a byte order mark, an empty, truncated or longer body.
 *
 * Every refusal is a `CodecError` with `at` (a path such as `$.items[2]`, or `byte 17`); nothing else is ever thrown.
 * Throws a `CONFIGURATION` error for bad options.
 */
export function createJsonCodec(options: JsonCodecOptions = {}): JsonCodec {
  const limits = resolveOptions(options);
  // `ignoreBOM` keeps the mark in the text, where it is a fault (RFC 8259, section 8.1).
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  const write = (value: unknown, context: CodecContext): string => {
    if (!isPlainJson(value, limits.maxDepth, limits.maxBytes)) return writeExactly(value, limits, context);
    const text = JSON.stringify(value);
    // JSON.stringify escapes half surrogate pairs: only these begin so, and a backslash before "ud".
    return text.includes('\\ud') ? writeExactly(value, limits, context) : text;
  };

  return {
    contentType,
    encode(value, context) {
      let body: Buffer;
      try {
        body = Buffer.from(write(value, context));
      } catch (error) {
        throw error instanceof CodecError ? error : codecError('encode', context, threw(error), { cause: error });
      }
      if (body.length > limits.maxBytes) throw codecError('encode', context, tooLarge(limits.maxBytes, body.length));
      return { body };
    },
    decode(body, context) {
      const refuse = (fault: Fault): CodecError => codecError('decode', context, fault);
      const lookThrough = (): void => {
        const fault = findFault(text, limits.maxDepth);
        if (fault !== undefined) throw refuse(fault);
      };
      if (body.length === 0) throw refuse(empty);
      if (body.length > limits.maxBytes) throw refuse(tooLarge(limits.maxBytes, body.length));
      let text: string;
      let value: unknown;
      try {
        text = utf8.decode(body);
      } catch {
        throw refuse(badUtf8(body));
      }
      if (hasManyBrackets(text) && nestsDeeper(body, limits.maxDepth)) lookThrough();
      try {
        value = JSON.parse(text);
      } catch {
        // Not as the cause: its message quotes the payload.
        lookThrough();
        throw refuse(notJson);
      }
      if (!isPlainJson(value, limits.maxDepth, limits.maxBytes) || text.includes('\\ud') || text.includes('\\uD'))
        lookThrough();
      return value;
    },
  };
}

const empty: Fault = {
  at: 'byte 0',
  problem: 'the body is empty',
  advice: 'Correct the producer; a message without a value has the body null.',
};

const notJson: Fault = { problem: 'the body is not JSON', advice: 'Correct the producer: RFC 8259 is the rule.' };

const threw = (error: unknown): Fault => ({
  problem: `the value threw while it was read (${error instanceof Error ? error.message : String(error)})`,
  advice: 'Correct its getter or toJSON method.',
});

/**
 * `JSON.parse` takes seconds for millions of brackets inside one another. A few thousand take a millisecond, and their depth is seen
 * afterwards, so only a text with more of them is looked through before.
 */
function hasManyBrackets(text: string): boolean {
  const harmless = 8_192;
  if (text.length <= harmless) return false;
  let count = 0;
  for (const bracket of '[{')
    for (let i = text.indexOf(bracket); i !== -1; i = text.indexOf(bracket, i + 1)) {
      count += 1;
      if (count > harmless) return true;
    }
  return false;
}

/** Counts brackets outside of strings; in UTF-8 none of these bytes is ever part of another character. */
function nestsDeeper(body: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i];
    if (byte === 0x22) {
      for (i += 1; i < body.length && body[i] !== 0x22; i += 1) if (body[i] === 0x5c) i += 1;
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
}

/** Where the first byte stands that is no UTF-8: a decoder that repairs puts its mark there, and the body has none. */
function badUtf8(body: Uint8Array): Fault {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  let at = 0;
  let from = 0;
  for (let mark = text.indexOf('\ufffd'); mark !== -1; mark = text.indexOf('\ufffd', from)) {
    at += Buffer.byteLength(text.slice(from, mark));
    if (body[at] !== 0xef || body[at + 1] !== 0xbf || body[at + 2] !== 0xbd) break;
    at += 3;
    from = mark + 1;
  }
  return { at: `byte ${at}`, problem: 'the body is not UTF-8', advice: 'Correct the producer: JSON travels in UTF-8.' };
}
