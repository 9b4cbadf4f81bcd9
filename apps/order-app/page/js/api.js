/** @import { Answer, Fault, GetPath, Health, Outcome, PostPath } from "./types.ts" */
/** @typedef {Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }} Options */

/** An answer that is no success, as problem+json (RFC 9457) or made from what there is. */
export class Problem extends Error {
  /** @param {{ status?: number, detail: string, errors?: Fault[] | undefined }} told */
  constructor({ status = 0, detail, errors = [] }) {
    super(detail);
    this.status = status;
    /** Fields that were refused. */
    this.errors = errors;
  }
}

const unreachable = 'The server does not answer. Look whether it still runs, then try again.';

/**
 * Asks the server for JSON. Rejects with {@link Problem}, or with `AbortError` when the signal ended it.
 * @template {GetPath} P
 * @param {P} path
 * @param {{ signal?: AbortSignal | null }} [options]
 * @returns {Promise<Answer<P>>}
 */
export const ask = (path, { signal = null } = {}) => answerOf(path, { signal });

/**
 * The same with something to do, as JSON.
 * @template {PostPath} P
 * @param {P} path
 * @param {object} body
 * @param {{ signal?: AbortSignal | null }} [options]
 * @returns {Promise<Outcome<P>>}
 */
export const send = (path, body, { signal = null } = {}) =>
  answerOf(path, {
    signal,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/**
 * The server's tests hold its answers against its schemas; here they are taken at their word.
 * @template T
 * @param {string} path
 * @param {Options} options
 * @returns {Promise<T>}
 */
async function answerOf(path, options) {
  const response = await reach(path, options);
  const found = await response.json().catch((cause) => {
    if (isAbort(cause)) throw cause;
    return undefined;
  });
  if (response.ok && found !== undefined) return found;
  throw new Problem({
    status: response.status,
    detail: found?.detail ?? `The server answered with status ${response.status} and no explanation.`,
    errors: found?.errors,
  });
}

/** @param {string} path @param {Options} options */
async function reach(path, options) {
  try {
    return await fetch(path, { ...options, headers: { accept: 'application/json', ...options.headers } });
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw new Problem({ detail: unreachable });
  }
}

/**
 * Health answers in the same form with 200 and with 503.
 * @param {AbortSignal | null} [signal]
 * @returns {Promise<Health>}
 */
export async function readHealth(signal = null) {
  try {
    const response = await reach('/health/ready', { signal });
    return await response.json();
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    return { status: 'unreachable', checks: [] };
  }
}

/** @param {string} orderId @returns {`/api/orders/${string}`} */
export const orderPath = (orderId) => `/api/orders/${encodeURIComponent(orderId)}`;

/**
 * Path with the parameters that are not empty.
 * @template {string} P
 * @param {P} path
 * @param {Record<string, string | number | undefined>} parameters
 * @returns {P | `${P}?${string}`}
 */
export function withQuery(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, String(value));
  return query.size === 0 ? path : `${path}?${query}`;
}

/** @param {unknown} cause */
const isAbort = (cause) => cause instanceof Error && cause.name === 'AbortError';

/**
 * Leaves out what was only ended, and hands on what went wrong. What is no problem of the server's is a fault of the page: the console has it too.
 * @param {(problem: Problem) => unknown} show
 * @returns {(cause: unknown) => void}
 */
export const unlessAborted = (show) => (cause) => {
  if (isAbort(cause)) return;
  if (!(cause instanceof Problem)) reportError(cause);
  show(cause instanceof Problem ? cause : new Problem({ detail: messageOf(cause) }));
};

/** @param {unknown} cause */
const messageOf = (cause) => (cause instanceof Error ? cause.message : String(cause));
