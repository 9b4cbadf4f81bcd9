import { BentoError } from '@bento-bus/core';
import { explain } from '@bento-bus/runtime/terminal';

/** How a server is asked for JSON. */
export interface Web {
  /** Where its API begins. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** The JSON of a GET; undefined: there is nothing. Rejections are `BentoError`s. `what`: `list the subjects`. */
export async function getJson<T>(
  { url, headers, signal, timeoutMs }: Web,
  path: string,
  what: string,
): Promise<T | undefined> {
  const fault = (
    code: 'CONNECTION' | 'AUTHENTICATION' | 'AUTHORIZATION',
    problem: string,
    advice: string,
  ): BentoError =>
    new BentoError(
      code,
      `bento: cannot ${what} at ${new URL(url).origin}: ${problem}. ${advice}`,
      code === 'CONNECTION',
    );
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}/${path}`, {
      headers: { accept: '*/*', ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    text = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    const { cause } = error as { readonly cause?: unknown };
    // Of a URL that is told, user and password are not.
    const problem = explain(cause ?? error)
      .replaceAll(/(?<=\/\/)\S*@/g, '')
      .replace(/\.$/, '');
    throw fault('CONNECTION', problem, 'See that it runs and its URL is right.');
  }
  const { status } = response;
  if (status === 404) return undefined;
  if (status === 401) throw fault('AUTHENTICATION', 'it does not take these credentials (status 401)', 'Correct them.');
  if (status === 403)
    throw fault('AUTHORIZATION', 'this user may not (status 403)', 'Grant it, or use other credentials.');
  try {
    if (response.ok) return JSON.parse(text) as T;
  } catch {
    throw fault('CONNECTION', 'its answer is no JSON', 'See what is at its URL.');
  }
  throw fault('CONNECTION', `it answers with status ${status}`, 'Its log says more.');
}

export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
