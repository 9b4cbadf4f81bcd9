import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BentoError, configurationError, isBentoError } from '@bento-bus/core';
import { type Deferred, deferred } from '@bento-bus/core/adapter';
import type { Operations, TailOptions } from '../operations.ts';
import { basePath, largestRequest, methods } from './methods.ts';
import { decode, encode, type Line, toWire } from './wire.ts';

/** Options of {@link serveOperations}. */
export interface ServeOptions {
  /** What every request must show: `authorization: Bearer …`. At least 16 characters. */
  readonly token: string;
}

/** An empty line so often keeps connections from being taken for dead. Milliseconds. */
const keepAliveMs = 10_000;

/**
 * Answers `/bento/` requests of {@link connectOperations} on a server of yours; resolves with false, and touches nothing, for every other
 * request. Bind the server to loopback: the token is all that stands between a request and the backend. A request whose connection
 * breaks off is ended. Answers are lines of JSON: progress or items, then one result or error.
 */
export function serveOperations(
  operations: Operations,
  { token }: ServeOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  if (typeof token !== 'string' || token.length < 16)
    throw configurationError('admin: cannot serve operations', ['token must have at least 16 characters: newToken()']);
  return async (request, response) => {
    // As it was written: what a router took for `/bento/..` is no other path here.
    const [path = ''] = (request.url ?? '').split('?');
    if (path !== '/bento' && !path.startsWith('/bento/')) return false;
    const refusal = refusalOf(request, path, token);
    if (refusal === undefined) await answer(operations, path.slice(basePath.length), request, response);
    else refuse(response, refusal.status, refusal.why);
    return true;
  };
}

function refusalOf(
  { headers, method }: IncomingMessage,
  path: string,
  token: string,
): { readonly status: number; readonly why: string } | undefined {
  if (!isToken(headers.authorization, token))
    return {
      status: 401,
      why: 'the token is missing or another one. It stands in bento-endpoint.json of the data directory',
    };
  const name = path.slice(basePath.length);
  if (!path.startsWith(basePath) || !(name === 'tail' || Object.hasOwn(methods, name)))
    return { status: 404, why: `there is no "${path}". Use the same version of bento as the application` };
  if (method !== 'POST') return { status: 405, why: `${method} is not known here. Use POST` };
  return undefined;
}

function isToken(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'content-type': 'application/x-ndjson', connection: 'close' });
  response.end(`${encode({ error: toWire(new BentoError(codeOf(status), `admin: cannot answer: ${why}.`)) })}\n`);
}

const codeOf = (status: number): 'AUTHENTICATION' | 'UNSUPPORTED' | 'OVERSIZE' | 'CONFIGURATION' =>
  status === 401
    ? 'AUTHENTICATION'
    : status === 404 || status === 405
      ? 'UNSUPPORTED'
      : status === 413
        ? 'OVERSIZE'
        : 'CONFIGURATION';

async function answer(
  operations: Operations,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let args: readonly unknown[];
  try {
    args = await argumentsOf(request);
  } catch (error) {
    const oversize = isBentoError(error, 'OVERSIZE');
    refuse(response, oversize ? 413 : 400, oversize ? error.message : 'its body is no JSON array of arguments');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  /** While the reader is slow. */
  let full: Deferred<void> | undefined;
  const go = (): void => {
    full?.resolve();
    full = undefined;
  };
  response.on('drain', go);
  response.once('close', go);
  const write = (line: Line): Promise<void> => {
    if (!response.destroyed && !response.write(`${encode(line)}\n`)) full ??= deferred();
    return full?.promise ?? Promise.resolve();
  };
  // A newer one follows.
  const tell = (progress: unknown): void => {
    if (full === undefined) void write({ progress });
  };
  const alive = setInterval(() => response.write('\n'), keepAliveMs);
  gone.signal.addEventListener('abort', () => clearInterval(alive), { once: true });
  try {
    if (name === 'tail') {
      const [topic, options] = args as [string, TailOptions | undefined];
      for await (const item of operations.tail(topic, { ...options, signal: gone.signal })) await write({ item });
      await write({ result: null });
    } else await write({ result: await call(operations, name as keyof typeof methods, args, gone.signal, tell) });
  } catch (error) {
    await write({ error: toWire(error) });
  } finally {
    clearInterval(alive);
    response.end();
  }
}

async function call(
  operations: Operations,
  name: keyof typeof methods,
  args: readonly unknown[],
  signal: AbortSignal,
  onProgress: (progress: unknown) => void,
): Promise<unknown> {
  const at = methods[name];
  const given = [...args];
  if (at !== undefined) given[at] = { ...(given[at] as object | undefined), signal, onProgress };
  // Arguments of each method are checked by the ports behind it.
  const method = operations[name] as (...given: readonly unknown[]) => Promise<unknown>;
  return (await method(...given)) ?? null;
}

async function argumentsOf(request: IncomingMessage): Promise<readonly unknown[]> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > largestRequest)
      throw new BentoError('OVERSIZE', `the request is larger than ${largestRequest} bytes. Send less at once`);
    parts.push(part);
  }
  const args = decode(Buffer.concat(parts).toString());
  if (!Array.isArray(args)) throw new SyntaxError('no array');
  // What JSON cannot say was null.
  return args.map((value: unknown) => value ?? undefined);
}
