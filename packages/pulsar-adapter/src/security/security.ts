import { BentoError, isBentoError } from '@bento-bus/core';
import { type OAuth2Options, oauth2Token } from './oauth2.ts';
import { type PulsarTls, publicTls, resolveTls, type TlsMaterial } from './tls.ts';

/**
 * Who this client is. Of a token, a function is asked at each new connection and request: that is how it is rotated; where it rejects, it is
 * asked again as if the broker could not be reached. Mutual TLS is `tls.cert` and `tls.key`.
 */
export type PulsarAuthentication =
  | { readonly type: 'token'; readonly token: string | (() => string | Promise<string>) }
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | OAuth2Options;

/** Options of security, the same for both drivers and for administration. No secret of them is in an error, a log or a text of what they make. */
export interface PulsarSecurityOptions {
  /** @default none */
  readonly authentication?: PulsarAuthentication;
  /** Short for `authentication: { type: 'token', token }`. */
  readonly token?: string;
  /** For `https`, `wss` and `pulsar+ssl` URLs. */
  readonly tls?: PulsarTls;
}

/** How a client proves who it is. In private fields and functions: nothing shows them by accident. */
export interface Security {
  /** For HTTP and WebSocket. Rejects with a `BentoError`. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** The same for the binary protocol. */
  readonly binary: () =>
    | { readonly type: 'token'; readonly token: () => Promise<string> }
    | { readonly type: 'basic'; readonly user: string; readonly password: string }
    | undefined;
  readonly tls: () => TlsMaterial;
}

export function resolveSecurity(options: PulsarSecurityOptions, timeoutMs: number, faults: string[]): Security {
  const tls = resolveTls(options.tls, faults);
  const { token } = options;
  if (token !== undefined && options.authentication !== undefined)
    faults.push('token and authentication exclude each other');
  if (token !== undefined && !isHeaderText(token)) faults.push('token must be a text, not empty, in one line');
  const given = options.authentication ?? (token === undefined ? undefined : { type: 'token' as const, token });
  if (options.authentication !== undefined) checkAuthentication(options.authentication, faults);
  // Not of use when there are faults.
  if (given === undefined || faults.length > 0)
    return { headers: async () => ({}), binary: () => undefined, tls: () => tls };
  if (given.type === 'basic') {
    const { user, password } = given;
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    return {
      headers: async () => ({ authorization }),
      binary: () => ({ type: 'basic', user, password }),
      tls: () => tls,
    };
  }
  const source = given.type === 'oauth2' ? oauth2Token(given, publicTls(tls), timeoutMs) : () => tokenOf(given.token);
  return {
    headers: async () => ({ authorization: `Bearer ${await source()}` }),
    binary: () => ({ type: 'token', token: source }),
    tls: () => tls,
  };
}

async function tokenOf(token: string | (() => string | Promise<string>)): Promise<string> {
  if (typeof token === 'string') return token.trim();
  let value: unknown;
  try {
    value = await token();
  } catch (cause) {
    if (isBentoError(cause)) throw cause;
    // Its text is not ours to show: who knows what is in it.
    throw new BentoError(
      'AUTHENTICATION',
      'pulsar-adapter: cannot get a token: the function of authentication.token failed. See that it resolves with a token.',
      true,
    );
  }
  if (isHeaderText(value)) return value.trim();
  throw new BentoError(
    'AUTHENTICATION',
    'pulsar-adapter: cannot get a token: the function of authentication.token gave no text that can be one. See that it resolves with a token.',
  );
}

/** May end with a line feed, as files do. */
const isHeaderText = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x21-\x7e]+$/.test(value.trim());
const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

function checkAuthentication(given: PulsarAuthentication, faults: string[]): void {
  const check = (fine: boolean, fault: string): void => {
    if (!fine) faults.push(`authentication${fault}`);
  };
  switch (given.type) {
    case 'token':
      check(
        typeof given.token === 'function' || isHeaderText(given.token),
        '.token must be a text in one line, or a function',
      );
      break;
    case 'basic':
      check(isText(given.user) && !given.user.includes(':'), '.user must be a name without a colon');
      check(typeof given.password === 'string' && given.password !== '', '.password must be a text, not empty');
      break;
    case 'oauth2': {
      const { issuerUrl, tokenUrl } = given;
      check((issuerUrl === undefined) !== (tokenUrl === undefined), ' needs one of issuerUrl and tokenUrl');
      for (const [name, url] of Object.entries({ issuerUrl, tokenUrl }))
        check(url === undefined || isWebUrl(url), `.${name} must be a URL such as https://host/path`);
      check(isText(given.clientId), '.clientId must be a text, not empty');
      check(isText(given.clientSecret), '.clientSecret must be a text, not empty');
      for (const name of ['audience', 'scope'] as const)
        check(given[name] === undefined || isText(given[name]), `.${name} must be a text, not empty`);
      break;
    }
    default:
      check(false, ".type must be 'token', 'basic' or 'oauth2'");
  }
}

const isWebUrl = (url: unknown): boolean =>
  typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
