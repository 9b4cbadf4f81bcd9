import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ClickHouseClient } from '@clickhouse/client';

/**
 * A facade, not a ClickHouse server: its HTTP interface as far as this package uses it, in front of the embedded engine. What runs is
 * the stock client's real HTTP path: URLs, bound parameters, inserts with a body, multipart parameters, authentication, errors.
 */
export interface HttpFacade {
  readonly url: string;
  readonly requests: { readonly query: string; readonly multipart: boolean }[];
  close(): Promise<void>;
}

const user = 'bento';
/** What the facade lets in. */
export const credentials: { readonly username: string; readonly password: string } = {
  username: user,
  password: 'se:cret',
};

export async function httpFacade(engine: ClickHouseClient): Promise<HttpFacade> {
  const requests: HttpFacade['requests'] = [];
  const server: Server = createServer((request, response) => {
    answer(engine, request, response, requests).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  engine: ClickHouseClient,
  request: IncomingMessage,
  response: ServerResponse,
  requests: HttpFacade['requests'],
): Promise<void> {
  const body = await buffer(request);
  const { username, password } = credentials;
  if (request.headers.authorization !== `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`)
    return refuse(
      response,
      403,
      '516',
      `Code: 516. DB::Exception: ${username}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`,
    );
  const url = new URL(request.url ?? '/', 'http://facade');
  const multipart = request.headers['content-type']?.startsWith('multipart/') === true;
  const fields = multipart ? await formOf(request, body) : url.searchParams;
  const params = Object.fromEntries(
    [...fields].flatMap(([name, value]) => (name.startsWith('param_') ? [[name.slice(6), paramOf(value)]] : [])),
  );
  const inUrl = fields.get('query');
  const query =
    inUrl === null ? body.toString() : multipart || body.length === 0 ? inUrl : `${inUrl}\n${body.toString()}`;
  requests.push({ query: query.slice(0, 200), multipart });
  try {
    const { stream } = await engine.exec({ query, query_params: params });
    response.writeHead(200, { 'X-ClickHouse-Summary': '{}' });
    response.end(await buffer(stream));
  } catch (error) {
    const { code = '1', type = 'UNKNOWN', message } = error as { code?: string; type?: string; message: string };
    refuse(response, 500, code, `Code: ${code}. DB::Exception: ${message} (${type})`);
  }
}

function refuse(response: ServerResponse, status: number, code: string, text: string): void {
  response.writeHead(status, { 'X-ClickHouse-Exception-Code': code }).end(text);
}

const formOf = async (request: IncomingMessage, body: Buffer): Promise<URLSearchParams> => {
  const form = await new Response(new Uint8Array(body), {
    headers: { 'content-type': request.headers['content-type'] ?? '' },
  }).formData();
  return new URLSearchParams(
    [...form].map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : '']),
  );
};

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '0': '\0' };
const unescape = (text: string): string => text.replaceAll(/\\(.)/gs, (_, char: string) => escapes[char] ?? char);

/** A parameter as the client wrote it for HTTP, as a value that it writes for the engine. */
function paramOf(text: string): unknown {
  if (!text.startsWith('[')) return unescape(text);
  return [...text.slice(1, -1).matchAll(/'((?:\\.|''|[^'\\])*)'|(-?\d+)/gs)].map(([, quoted, number]) =>
    quoted === undefined ? Number(number) : unescape(quoted),
  );
}
