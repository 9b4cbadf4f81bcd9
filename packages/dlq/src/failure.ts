import { type ErrorCode, isBentoError, type PublishError } from '@bento-bus/core';
import { headerText, isInterruption, thrownText } from '@bento-bus/core/adapter';

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
    causes.push(thrownText(one));
    if (stack === '' && one instanceof Error) stack = framesOf(one);
    one = one instanceof Error ? one.cause : undefined;
  }
  return {
    code: codeOf(error),
    message: headerText(causes.join(' ← '), longestMessage),
    stack: headerText(stack, longestStack),
  };
}

function codeOf(error: unknown): string {
  if (isBentoError(error)) return error.code;
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  if (typeof code === 'string' && code !== '') return headerText(code, 100);
  return error instanceof Error ? error.name : typeof error;
}

/** Where it came from, without the message that stands above it. */
const framesOf = ({ stack = '' }: Error): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n');

/** A server that this toolkit talks to, a broker, a registry, is away or does not take the credentials. Whatever message came now would fail. */
const outages: ReadonlySet<string | undefined> = new Set<ErrorCode>([
  'CONNECTION',
  'REPLICAS',
  'AUTHENTICATION',
  'AUTHORIZATION',
]);

/** No fault of the message: it is no poison, however often it fails so. */
export const isPassing = (error: unknown): boolean =>
  isInterruption(error) ||
  (isBentoError(error) && (outages.has(error.code) || outages.has((error as PublishError).reason)));
