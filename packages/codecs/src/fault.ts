import { type CodecContext, CodecError } from '@bento-bus/core';

/** The content type of JSON bodies. */
export const contentType = 'application/json';

/** What a codec refuses: where, why, and what to do about it. */
export interface Fault {
  /** `byte 17`, or a path such as `$.items[2].price`. */
  readonly at?: string;
  readonly problem: string;
  readonly advice: string;
}

/** Makes the error of a fault. It shows where and why, never the payload: bodies are not for logs. */
export type ErrorOf = (
  action: 'encode' | 'decode',
  context: CodecContext,
  fault: Fault,
  options?: ErrorOptions,
) => CodecError;

/** The errors of one codec. `name`: what its messages call it. */
export const errorsOf =
  (codec: string, name: string): ErrorOf =>
  (action, { type, version, topic }, { at, problem, advice }, options) => {
    const place = at === undefined ? '' : ` at ${shorten(at)}`;
    return new CodecError(
      codec,
      `codecs: cannot ${action} "${shorten(type)}" of topic "${shorten(topic)}" as ${name}: ${problem}${place}. ${advice}`,
      { ...options, schema: `${shorten(type)} ${version}`, ...(at !== undefined && { at }) },
    );
  };

/** The errors of JSON. */
export const codecError: ErrorOf = errorsOf(contentType, 'JSON');

/** A fault on its way from where it is found, deep in a body or a value, to the codec that knows the message. */
export class FaultError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.problem);
    this.fault = fault;
  }
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

/** A body that ends before its schema does. */
export const truncated = (at: number): Fault => ({
  at: `byte ${at}`,
  problem: 'the body ends too early',
  advice: 'See that it is whole, and of this schema.',
});

/** A body that goes on after its schema has ended. */
export const trailing = (at: number): Fault => ({
  at: `byte ${at}`,
  problem: 'the body goes on after its end',
  advice: 'See that it is of this schema.',
});

/** A count, length or number that cannot be. */
export const malformed = (problem: string, at: number): Fault => ({
  at: `byte ${at}`,
  problem,
  advice: 'Correct the producer, or see that the body is of this schema.',
});

/** More values than `maxValues`. */
export const tooMany = (maxValues: number, at: number): Fault => ({
  at: `byte ${at}`,
  problem: `the body becomes more than ${maxValues} values`,
  advice: 'Send fewer in one message, or raise maxValues.',
});

/** An integer that a number cannot hold. `advice`: how to have it all the same. */
export const imprecise = (at: string, advice: string): Fault => ({
  at,
  problem: 'an integer beyond 2^53, which a number cannot hold without loss',
  advice,
});
