import { setTimeout } from 'node:timers/promises';
import { BentoError, type ErrorCode } from '@bento-bus/core';
import { fullJitter } from '@bento-bus/core/adapter';
import type { ResolvedRegistryOptions } from './options.ts';
import { sentenceOf } from './sentence.ts';

export interface Question {
  /** What cannot be done without an answer: `register the schema of subject "orders-value"`. */
  readonly what: string;
  readonly method?: 'GET' | 'POST';
  /** After the URL of the registry; its parts are encoded. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  /** An answer that its status alone would make a failure. */
  readonly isAnswer?: (answer: Answer) => boolean;
}

/** Also of requests that the registry refused, except for want of rights. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks until there is an answer: a registry that is down, busy or slow is asked again, with growing waits, at the next of its URLs.
 * Rejects with a retryable `CONNECTION` or `TIMEOUT` error when time is over, with `AUTHENTICATION` or `AUTHORIZATION` for 401 and 403.
 */
export type Ask = (question: Question) => Promise<Answer>;

const backoff = fullJitter({ baseMs: 50, capMs: 1_000 });
const mostRedirects = 5;

/** How a registry is asked. */
interface AskOptions {
  readonly mediaType: string;
  /** What errors are best asked for in. @default mediaType */
  readonly accept?: string;
  /** Whether an answer below 500 means that it is to be asked again. @default none does */
  readonly isBusy?: (answer: Answer) => boolean;
}

export function createAsk(options: ResolvedRegistryOptions, how: AskOptions): Ask {
  const { urls, timeoutMs } = options;
  // So that one which does not answer leaves time for the others, or for a second try.
  const shareMs = timeoutMs / (urls.length + 1);
  let current = 0;
  return async (question) => {
    const end = performance.now() + timeoutMs;
    let told: BentoError | undefined;
    for (let tries = 1; ; tries += 1) {
      const index = current;
      const failure = failureOf(question);
      try {
        const limitMs = Math.max(1, Math.ceil(Math.min(shareMs, end - performance.now())));
        const url = `${urls[index] as string}/${question.path}`;
        return await once(options, how, url, question, failure, AbortSignal.timeout(limitMs));
      } catch (cause) {
        const error = cause instanceof BentoError ? cause : failure.from(cause);
        // What it said is worth more than that the last try was short of time.
        if (error.code !== 'TIMEOUT') told = error;
        const wait = backoff(tries);
        if (!error.retryable || performance.now() + wait >= end) throw told ?? error;
        // Unless another question has moved on already.
        if (current === index) current = (index + 1) % urls.length;
        await setTimeout(wait);
      }
    }
  };
}

async function once(
  { headers: ownHeaders, fetch }: ResolvedRegistryOptions,
  { mediaType, accept = mediaType, isBusy }: AskOptions,
  url: string,
  { method = 'GET', body, isAnswer }: Question,
  failure: Failure,
  signal: AbortSignal,
): Promise<Answer> {
  const headers = await inTime(ownHeaders(), signal).catch(() => {
    // Not as the cause: it may quote a secret.
    throw failure.of('AUTHENTICATION', 'its token cannot be had', 'See auth.token.', true);
  });
  if (headers === undefined)
    throw failure.of('AUTHENTICATION', 'HTTP cannot carry the characters of its token', 'See auth.token.');
  if (body !== undefined) headers.set('content-type', mediaType);
  headers.set('accept', accept);
  const init = { method, headers, signal, redirect: 'manual' as const, ...(body !== undefined && { body }) };
  let response = await fetch(url, init);
  // Brokers of a cluster send each other's clients on. Not by `fetch` itself, which leaves the credentials behind.
  for (let left = mostRedirects; isRedirect(response); left -= 1) {
    const next = new URL(response.headers.get('location') ?? '', url);
    await response.body?.cancel();
    if (left === 0 || (url.startsWith('https:') && next.protocol !== 'https:'))
      throw failure.of('CONFIGURATION', `it redirects to ${next.origin}`, 'Give the URL that it redirects to.');
    response = await fetch(next, init);
  }
  const { status } = response;
  const text = await response.text();
  if (isAnswer?.({ status, text }) === true) return { status, text };
  const reason = reasonOf(status, text);
  // Pulsar answers 401 to one whom it knows and does not let.
  if (status === 403 || (status === 401 && /^Unauthorized to |not authorized/i.test(reason)))
    throw failure.of('AUTHORIZATION', reason, 'Grant the permission, or use other credentials.');
  if (status === 401) throw failure.of('AUTHENTICATION', reason, 'Give valid credentials by auth.');
  if (status >= 500 || status === 429 || status === 408 || isBusy?.({ status, text }) === true)
    throw failure.of('CONNECTION', reason, tryAgain, true);
  return { status, text };
}

/** Rejects when the signal says so; what comes later is nobody's. */
const inTime = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });

const isRedirect = ({ status, headers }: Response): boolean =>
  (status === 307 || status === 308) && headers.has('location');

/** What a status and its body say, for an error. */
export const reasonOf = (status: number, text: string): string => {
  const sentence = sentenceOf(text);
  return sentence === '' ? `it answers with status ${status}` : `${sentence} (status ${status})`;
};

/** An answer that the registry's API does not have. */
export const unexpected = (question: Question, { status, text }: Answer): BentoError =>
  failureOf(question).of('CONFIGURATION', reasonOf(status, text), 'Correct the URL, or what is asked for.');

/** An answer that another try may better. */
export const busy = (question: Question, { status, text }: Answer): BentoError =>
  failureOf(question).of('CONNECTION', reasonOf(status, text), tryAgain, true);

const tryAgain = 'Try again; the log of the registry says more.';

/** The JSON of an answer, as far as it is an object. Anything else comes from something between: it is worth another try. */
export function objectOf(question: Question, { text }: Answer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {}
  throw broken(question);
}

/** An answer of success that lacks what it is for. */
export const broken = (question: Question): BentoError =>
  failureOf(question).of('CONNECTION', 'its answer is not that of a schema registry', 'See what is at its URL.', true);

interface Failure {
  of(code: ErrorCode, problem: string, advice: string, retryable?: boolean): BentoError;
  from(cause: unknown): BentoError;
}

const failureOf = ({ what }: Question): Failure => {
  const of: Failure['of'] = (code, problem, advice, retryable = false) =>
    new BentoError(code, `codecs: cannot ${what} at the schema registry: ${problem}. ${advice}`, retryable);
  return {
    of,
    from(cause) {
      const { code, retryable, problem, advice } = faultOf(cause);
      return new BentoError(code, `codecs: cannot ${what} at the schema registry: ${problem}. ${advice}`, retryable, {
        cause,
      });
    },
  };
};

/** By the codes of Node.js and OpenSSL: https://nodejs.org/api/tls.html#x509-certificate-error-codes. */
const untrusted = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;

function faultOf(cause: unknown): Pick<BentoError, 'code' | 'retryable'> & Record<'problem' | 'advice', string> {
  const { name, message, cause: below } = (cause ?? {}) as Partial<Error> & { readonly cause?: NodeJS.ErrnoException };
  if (name === 'TimeoutError' || name === 'AbortError') {
    const advice = 'Try again; allow more time if it happens often.';
    return { code: 'TIMEOUT', retryable: true, problem: 'it did not answer in time', advice };
  }
  // `fetch failed` says nothing; an AggregateError of two addresses has a code and no message.
  const problem = (below?.message || below?.code || message || String(cause)).replace(/\.$/, '');
  if (untrusted.test(below?.code ?? '')) {
    const advice = 'Give a fetch that trusts its certificate, or NODE_EXTRA_CA_CERTS.';
    return { code: 'AUTHENTICATION', retryable: false, problem, advice };
  }
  return { code: 'CONNECTION', retryable: true, problem, advice: 'See that it runs and its URL is right.' };
}
