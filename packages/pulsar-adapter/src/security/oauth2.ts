import { BentoError } from '@bento-bus/core';
import { toBentoError } from '../errors.ts';
import { Http } from '../http.ts';
import type { TlsMaterial } from './tls.ts';

/** OAuth 2.0 client credentials, https://www.rfc-editor.org/rfc/rfc6749#section-4.4. One of `issuerUrl` and `tokenUrl` is needed. */
export interface OAuth2Options {
  readonly type: 'oauth2';
  /** Where `/.well-known/openid-configuration` names the token endpoint. */
  readonly issuerUrl?: string;
  /** The token endpoint itself. */
  readonly tokenUrl?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience?: string;
  readonly scope?: string;
}

/** A token is replaced when so much of its life is left at most. Milliseconds. */
const marginMs = 30_000;
/** Of a token whose answer does not say how long it lives. Milliseconds. */
const lifeMs = 60_000;

/**
 * Gives the access token: the same one until shortly before it expires, and one request at a time however many ask. Rejects with
 * `AUTHENTICATION` where the issuer refuses, with a retryable error where it cannot be reached or fails.
 */
export function oauth2Token(options: OAuth2Options, tls: TlsMaterial, timeoutMs: number): () => Promise<string> {
  const http = new Http(tls);
  let endpoint = options.tokenUrl;
  let held: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;

  const ask = async (): Promise<string> => {
    endpoint ??= await discover();
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: options.clientId });
    form.set('client_secret', options.clientSecret);
    if (options.audience !== undefined) form.set('audience', options.audience);
    if (options.scope !== undefined) form.set('scope', options.scope);
    const answer = await call(endpoint, form.toString());
    const { access_token: token, expires_in: seconds } = answer;
    if (typeof token !== 'string' || token === '') throw refusal('its answer has no access_token');
    const life = Number.isFinite(Number(seconds)) && Number(seconds) > 0 ? Number(seconds) * 1_000 : lifeMs;
    held = { token, until: performance.now() + life - Math.min(marginMs, life / 2) };
    return token;
  };

  const discover = async (): Promise<string> => {
    const issuer = (options.issuerUrl ?? '').replace(/\/$/, '');
    const { token_endpoint: found } = await call(`${issuer}/.well-known/openid-configuration`);
    if (typeof found !== 'string' || !URL.canParse(found)) throw refusal('its configuration names no token_endpoint');
    return found;
  };

  const call = async (url: string, form?: string): Promise<Readonly<Record<string, unknown>>> => {
    const headers = {
      accept: 'application/json',
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    };
    const method = form === undefined ? 'GET' : 'POST';
    let answer: Awaited<ReturnType<Http['request']>>;
    try {
      answer = await http.request(url, { method, headers, timeoutMs, ...(form !== undefined && { body: form }) });
    } catch (error) {
      throw toBentoError(error, `get a token from ${hostOf(url)}`);
    }
    const { status } = answer;
    const body = parsed(answer.body.toString());
    if (status === 200) return body;
    // Nothing else of the answer: it may repeat what was sent.
    const reason =
      typeof body['error'] === 'string' && /^[\w.-]{1,60}$/.test(body['error']) ? ` (${body['error']})` : '';
    if (status >= 500 || status === 408 || status === 429)
      throw new BentoError('CONNECTION', `${failed(url)}: it answered ${status}${reason}. Try again.`, true);
    throw refusal(`it answered ${status}${reason}`);
  };

  const refusal = (why: string): BentoError =>
    new BentoError(
      'AUTHENTICATION',
      `${failed(endpoint ?? options.issuerUrl ?? '')}: ${why}. Correct the options of authentication.`,
    );

  return () => {
    if (held !== undefined && performance.now() < held.until) return Promise.resolve(held.token);
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

const failed = (url: string): string => `pulsar-adapter: cannot get a token from ${hostOf(url)}`;
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'the issuer');

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
