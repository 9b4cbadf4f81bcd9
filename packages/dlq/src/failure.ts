import { Buffer } from 'node:buffer';
import { type ErrorCode, isBentoError, type PublishError } from '@bento-bus/core';

/** What is kept of an error. */
export interface FailureText {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
}

/** Characters; headers travel with each copy. */
const longestMessage = 1_000;
const longestStack = 2_000;
const deepestCause = 5;

/** Describes anything that was thrown, shortened, with its causes. */
export function describeError(error: unknown): FailureText {
  const causes: string[] = [];
  let stack = '';
  for (let one = error, depth = 0; one !== undefined && depth < deepestCause; depth += 1) {
    causes.push(textOf(one));
    if (stack === '' && one instanceof Error) stack = framesOf(one);
    one = one instanceof Error ? one.cause : undefined;
  }
  return {
    code: codeOf(error),
    message: shorten(causes.join(' ← '), longestMessage),
    stack: shorten(stack, longestStack),
  };
}

function codeOf(error: unknown): string {
  if (isBentoError(error)) return error.code;
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  if (typeof code === 'string' && code !== '') return shorten(code, 100);
  return error instanceof Error ? error.name : typeof error;
}

function textOf(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  try {
    return String(error);
  } catch {
    return 'something that has no text';
  }
}

/** Where it came from, without the message that stands above it. */
const framesOf = ({ stack = '' }: Error): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n');

const shorten = (text: string, most: number): string => {
  // Half a surrogate pair would be refused in a header.
  const whole = Buffer.from(text).toString();
  return whole.length > most ? `${Buffer.from(whole.slice(0, most - 1)).toString()}…` : whole;
};

/**
 * The rule of `retry` where none is given: an error that says `retryable: false` will fail again (codec and validation errors do);
 * everything else may succeed.
 */
export const isRetryable = (error: unknown): boolean =>
  !(typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false);

/**
 * The process stops, or an earlier message of the key failed (`ABORTED`, `CLOSED`, `FENCED`); or a server that this toolkit talks to,
 * a broker, a registry, is away or does not take the credentials. Whatever message came now would fail.
 */
const passing: ReadonlySet<string | undefined> = new Set<ErrorCode>([
  'ABORTED',
  'CLOSED',
  'FENCED',
  'CONNECTION',
  'REPLICAS',
  'AUTHENTICATION',
  'AUTHORIZATION',
]);

/** The copy is larger than the backend takes. */
export const isOversize = (error: unknown): boolean =>
  isBentoError(error) && (error.code === 'OVERSIZE' || (error as PublishError).reason === 'OVERSIZE');

/** No fault of the message: it is no poison, however often it fails so. */
export const isPassing = (error: unknown): boolean =>
  isBentoError(error) && (passing.has(error.code) || passing.has((error as PublishError).reason));
