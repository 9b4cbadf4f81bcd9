import { type CodecContext, CodecError } from '@bento-bus/core';

/** The content type of every body. */
export const contentType = 'application/json';

/** What a codec refuses: where, why, and what to do about it. */
export interface Fault {
  /** `byte 17`, or a path such as `$.items[2].price`. */
  readonly at?: string;
  readonly problem: string;
  readonly advice: string;
}

/** The error of a fault. It shows where and why, never the payload: bodies are not for logs. */
export function codecError(
  action: 'encode' | 'decode',
  { type, topic }: CodecContext,
  { at, problem, advice }: Fault,
  options?: ErrorOptions,
): CodecError {
  const place = at === undefined ? '' : ` at ${shorten(at)}`;
  return new CodecError(
    contentType,
    `codecs: cannot ${action} "${shorten(type)}" of topic "${shorten(topic)}" as JSON: ${problem}${place}. ${advice}`,
    { ...options, ...(at !== undefined && { at }) },
  );
}

/** Enough to recognise a name by; hostile input must not write megabytes into a log. */
export const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 100)}…` : text);

/** A body or value beyond `maxBytes`. */
export const tooLarge = (maxBytes: number, bytes?: number): Fault => ({
  problem: `${bytes === undefined ? 'more than' : `${bytes} bytes are more than`} the ${maxBytes} bytes allowed`,
  advice: 'Send a reference to the data instead, or raise maxBytes on both sides.',
});

/** Nesting beyond `maxDepth`. */
export const tooDeep = (maxDepth: number, at: string): Fault => ({
  at,
  problem: `arrays and objects nest deeper than ${maxDepth}`,
  advice: 'Flatten the data, or raise maxDepth on both sides.',
});

/** A key that changes prototypes when a program copies or merges what was decoded. */
export const unsafeKey = (key: string, at: string): Fault => ({
  at,
  problem: `the key "${key}" can change a prototype`,
  advice: 'Rename it.',
});

/** Half of a surrogate pair: UTF-8 has no bytes for it. */
export const loneSurrogate = (at: string): Fault => ({
  at,
  problem: 'a string with half a surrogate pair, which UTF-8 cannot carry',
  advice: 'Mend it with toWellFormed(), or send the bytes as base64.',
});
