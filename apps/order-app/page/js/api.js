/** An answer that is no success, as problem+json (RFC 9457) or made from what there is. */
class Problem extends Error {
  constructor({ status = 0, detail, errors = [] }) {
    super(detail);
    this.status = status;
    /** `{ path, message }` of fields that were refused. */
    this.errors = errors;
  }
}

const unreachable = 'The server does not answer. Look whether it still runs, then try again.';

/** Asks the server for JSON. Rejects with {@link Problem}, or with `AbortError` when the signal ended it. */
export async function ask(path, { body, signal } = {}) {
  const response = await reach(path, {
    signal,
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const found = await response.json().catch((cause) => {
    if (cause.name === 'AbortError') throw cause;
    return undefined;
  });
  if (response.ok && found !== undefined) return found;
  throw new Problem({
    status: response.status,
    detail: found?.detail ?? `The server answered with status ${response.status} and no explanation.`,
    errors: found?.errors,
  });
}

async function reach(path, options) {
  try {
    return await fetch(path, { ...options, headers: { accept: 'application/json', ...options.headers } });
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new Problem({ detail: unreachable });
  }
}

/** Health answers in the same form with 200 and with 503. */
export async function readHealth(signal) {
  try {
    const response = await reach('/health/ready', { signal });
    return await response.json();
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    return { status: 'unreachable', checks: [] };
  }
}

export const orderPath = (orderId, action) =>
  `/api/orders/${encodeURIComponent(orderId)}${action === undefined ? '' : `/${action}`}`;

/** Path with the parameters that are not empty. */
export function withQuery(path, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return query.size === 0 ? path : `${path}?${query}`;
}

/** Leaves out what was only ended, and hands on what went wrong. */
export const unlessAborted = (show) => (cause) => {
  if (cause.name !== 'AbortError') show(cause);
};
