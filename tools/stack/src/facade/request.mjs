// What a request of ClickHouse's HTTP interface asks for.

import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { paramsOf } from './params.mjs';

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) };

/** Fields that are the interface's own and no settings of the engine. */
const own = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'role',
  'user',
  'password',
  'quota_key',
  'stacktrace',
  'compress',
  'decompress',
  'enable_http_compression',
  'http_zlib_compression_level',
  'wait_end_of_query',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_response_buffer_size',
  'cancel_http_readonly_queries_on_client_close',
  'client_protocol_version',
]);
const refused = ['session_id', 'session_timeout', 'session_check'];

/** A fault of the request itself, with ClickHouse's number and name for it. */
class RequestError extends Error {
  constructor(code, type, message) {
    super(`Code: ${code}. DB::Exception: ${message} (${type})`);
  }
}

export async function readRequest(request) {
  const url = new URL(request.url ?? '/', 'http://facade');
  const encoding = request.headers['content-encoding'];
  const raw = await buffer(request);
  if (encoding !== undefined && encoding !== 'identity' && !Object.hasOwn(decoders, encoding))
    throw new RequestError(48, 'NOT_IMPLEMENTED', `The facade does not decode ${encoding}`);
  const body = Object.hasOwn(decoders, encoding ?? '') ? await decoders[encoding](raw) : raw;

  const multipart = request.headers['content-type']?.startsWith('multipart/') === true;
  const fields = [...url.searchParams, ...(multipart ? await formOf(request, body) : [])];
  const field = (name) => fields.findLast(([one]) => one === name)?.[1];
  const forbidden = refused.find((name) => field(name) !== undefined);
  if (forbidden !== undefined)
    throw new RequestError(48, 'NOT_IMPLEMENTED', `The facade keeps no HTTP sessions (${forbidden})`);

  const inUrl = field('query') ?? '';
  const data = multipart ? '' : body.toString('utf8');
  const query = inUrl === '' || data === '' ? inUrl || data : `${inUrl}\n${data}`;
  const statement = inUrl || data;
  return {
    query,
    params: paramsOf(fields, statement),
    settings: fields.filter(([name]) => !own.has(name) && !name.startsWith('param_')),
    database: field('database') ?? request.headers['x-clickhouse-database'],
    format: field('default_format') ?? request.headers['x-clickhouse-format'] ?? 'TabSeparated',
    queryId: field('query_id'),
    compress: field('enable_http_compression') === '1' && /\bgzip\b/.test(request.headers['accept-encoding'] ?? ''),
    // `INSERT … FORMAT` without a row changes nothing; the engine would call it an error.
    empty: data.trim() === '' && /^\s*INSERT\b.*\bFORMAT\s+\w+\s*$/is.test(query),
  };
}

async function formOf(request, body) {
  const headers = { 'content-type': request.headers['content-type'] };
  const form = await new Response(body, { headers }).formData();
  return [...form].map(([name, value]) => [name, typeof value === 'string' ? value : '']);
}
