import { configurationError } from '@bento-bus/core';

/** Who asks. A token may be a function, which is called for each request: tokens run out. */
export type RegistryAuth =
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => string | Promise<string>) };

/** Options that the clients of all registries have. */
export interface RegistryOptions {
  /** HTTP basic or bearer. @default nobody */
  readonly auth?: RegistryAuth;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Whether `mark` registers a schema that is not there, which the registry refuses if it is incompatible. With false it must be there:
   * the right thing where a build registers schemas.
   * @default true
   */
  readonly register?: boolean;
  /**
   * Of one question, tries included: after that the registry counts as down. One try gets half of it; of several URLs, each the same
   * share. Milliseconds.
   * @default 10_000
   */
  readonly timeoutMs?: number;
  /** Schemas kept, and for each schema written the subjects kept; what came first is forgotten first. @default 1_000 */
  readonly cacheSize?: number;
  /** How long an unknown id and a refused schema are believed, until the registry is asked again. Milliseconds. @default 5_000 */
  readonly negativeTtlMs?: number;
  /** To come by a proxy or a client certificate. @default the `fetch` of the platform */
  readonly fetch?: typeof globalThis.fetch;
}

/** The same, checked, with defaults. */
export interface ResolvedRegistryOptions {
  /** Without a slash at the end, and without credentials. */
  readonly urls: readonly [string, ...string[]];
  /** Rejects as the function for a token does; undefined: HTTP cannot carry that token. */
  readonly headers: () => Promise<Headers | undefined>;
  readonly register: boolean;
  readonly timeoutMs: number;
  readonly cacheSize: number;
  readonly negativeTtlMs: number;
  readonly fetch: typeof globalThis.fetch;
}

/** Throws one `CONFIGURATION` error that names every fault. `field`: what the URLs are called. */
export function resolveRegistryOptions(
  name: string,
  field: string,
  given: string | readonly string[] | undefined,
  options: RegistryOptions,
  faults: string[] = [],
): ResolvedRegistryOptions {
  const { register = true, timeoutMs = 10_000, cacheSize = 1_000, negativeTtlMs = 5_000 } = options;
  const fetch = options.fetch ?? globalThis.fetch;
  let { auth } = options;
  const urls = (given === undefined ? [] : [given].flat()).flatMap((text) => {
    const parts = URL.canParse(text) ? new URL(text) : undefined;
    if (parts === undefined || !/^https?:$/.test(parts.protocol)) {
      // A URL may hold a password: it is not shown.
      faults.push(`${field} has an entry that is no http: or https: URL`);
      return [];
    }
    if (parts.username !== '')
      auth ??= { username: decodeURIComponent(parts.username), password: decodeURIComponent(parts.password) };
    return [`${parts.origin}${parts.pathname.replace(/\/+$/, '')}`];
  });
  if (given === undefined || given.length === 0) faults.push(`${field} is missing`);
  const check = (what: string, value: number, least: number): void => {
    if (!Number.isInteger(value) || value < least || value > 2 ** 31 - 1)
      faults.push(`${what} is ${String(value)}, wanted is a whole number of at least ${least}`);
  };
  check('timeoutMs', timeoutMs, 1);
  check('cacheSize', cacheSize, 1);
  check('negativeTtlMs', negativeTtlMs, 0);
  if (typeof register !== 'boolean') faults.push('register is no boolean');
  if (typeof fetch !== 'function') faults.push('fetch is no function');
  const fixed = fixedHeaders(options.headers, auth, faults);
  if (faults.length > 0) throw configurationError(`codecs: cannot create a "${name}"`, faults);
  return {
    urls: urls as [string, ...string[]],
    headers: headersOf(fixed, auth),
    register,
    timeoutMs,
    cacheSize,
    negativeTtlMs,
    fetch,
  };
}

/** The headers that are known beforehand. A value that HTTP cannot carry is named and never shown, as it may be a secret. */
function fixedHeaders(given: RegistryOptions['headers'], auth: RegistryAuth | undefined, faults: string[]): Headers {
  const headers = new Headers();
  const put = (what: string, header: string, value: string): void => {
    try {
      headers.set(header, value);
    } catch {
      faults.push(`${what} has a name or value that HTTP cannot carry`);
    }
  };
  for (const [header, value] of Object.entries(given ?? {})) put(`headers["${header}"]`, header, value);
  if (auth === undefined) return headers;
  if ('username' in auth) {
    const { username, password } = auth;
    if (typeof username !== 'string' || typeof password !== 'string' || username.includes(':'))
      faults.push('auth needs a username without a colon and a password');
    else put('auth', 'authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  } else if (typeof auth.token === 'string' && auth.token !== '') {
    put('auth.token', 'authorization', `Bearer ${auth.token}`);
  } else if (typeof auth.token !== 'function') faults.push('auth needs a token, or a username and a password');
  return headers;
}

function headersOf(fixed: Headers, auth: RegistryAuth | undefined): ResolvedRegistryOptions['headers'] {
  if (auth === undefined || !('token' in auth) || typeof auth.token === 'string') return async () => new Headers(fixed);
  const { token } = auth;
  return async () => {
    const text = await token();
    try {
      const headers = new Headers(fixed);
      headers.set('authorization', `Bearer ${text}`);
      return headers;
    } catch {
      return undefined;
    }
  };
}
