// A facade, not a ClickHouse server: its HTTP interface in front of the embedded engine chdb. Run as a process: main.mjs <folder> <port>
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { createGzip } from 'node:zlib';
import { readRequest } from './request.mjs';
import { Sessions } from './sessions.mjs';

const [folder, port] = process.argv.slice(2);
const mostSessions = 16;
/** The only formats of which the engine streams what it also writes at once; the others have a frame around their rows. */
const streamed = new Set(['JSONEachRow', 'JSONCompactEachRow', 'JSONStringsEachRow', 'CSV', 'TSV', 'TabSeparated']);

mkdirSync(folder, { recursive: true });
const sessions = new Sessions(folder, mostSessions);

async function answer(request, response) {
  if (request.url === '/ping') {
    response.writeHead(200).end('Ok.\n');
    return;
  }
  const asked = await readRequest(request);
  /** Begins the answer, and gives what its rows are written to. */
  const open = ({ compress = asked.compress, result = {} } = {}) => {
    response.writeHead(200, {
      'X-ClickHouse-Server-Display-Name': 'bento-stack facade over chdb',
      'X-ClickHouse-Summary': summary(result),
      ...(asked.queryId !== undefined && { 'X-ClickHouse-Query-Id': asked.queryId }),
      ...(compress && { 'Content-Encoding': 'gzip' }),
    });
    if (!compress) return response;
    const gzip = createGzip();
    gzip.on('error', () => response.destroy()).pipe(response);
    return gzip;
  };
  if (asked.query.trim() === '') open({ compress: false }).end('Ok.\n');
  else if (asked.empty) open({ compress: false }).end();
  else await sessions.use(asked, (session) => run(session, asked, response, open));
}

async function run(session, { query, params, format: wanted }, response, open) {
  const bound = Object.keys(params).length > 0;
  const format = /\bFORMAT\s+(\w+)\s*(?:SETTINGS\b[^;]*)?;?\s*$/i.exec(query)?.[1] ?? wanted;
  const options = { format };
  if (/^\s*(?:SELECT|WITH)\b/i.test(query) && streamed.has(format)) {
    const rows = bound ? session.queryStreamBind(query, params, options) : session.queryStream(query, options);
    await writeStream(response, rows, open);
    return;
  }
  const result = await (bound ? session.queryBindAsync(query, params, options) : session.queryAsync(query, options));
  open({ result }).end(Buffer.from(result.bytes()));
}

/** The first rows are awaited before the answer begins, so that an error still can be its status; then as fast as they are taken. */
async function writeStream(response, chunks, open) {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    let { done, value } = await iterator.next();
    const sink = open();
    while (!done && !response.destroyed) {
      if (!sink.write(Buffer.from(value.raw()))) await Promise.race([once(sink, 'drain'), once(response, 'close')]);
      ({ done, value } = await iterator.next());
    }
    sink.end();
  } finally {
    await iterator.return?.();
  }
}

const summary = ({ rowsRead = 0, bytesRead = 0 }) =>
  JSON.stringify({
    read_rows: String(rowsRead),
    read_bytes: String(bytesRead),
    written_rows: String(rowsRead),
    written_bytes: String(bytesRead),
    total_rows_to_read: '0',
    result_rows: '0',
    result_bytes: '0',
    elapsed_ns: '0',
  });

const notFound = new Set(['60', '81', '46', '47']);

function refuse(response, error) {
  // Too late for a status: a reset tells the client that the result is not whole.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = /^Code: \d+/.test(error.message)
    ? error.message
    : `Code: 1002. DB::Exception: ${error.message} (UNKNOWN_EXCEPTION)`;
  const [, code] = /^Code: (\d+)/.exec(text);
  const status = notFound.has(code) ? 404 : code === '62' ? 400 : 500;
  response
    .writeHead(status, { 'X-ClickHouse-Exception-Code': code, 'Content-Type': 'text/plain; charset=UTF-8' })
    .end(`${text}\n`);
}

const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
  answer(request, response).catch((error) => refuse(response, error));
});
// Requests may take as long as their query does.
server.requestTimeout = 0;
server.on('error', (error) => {
  console.error(`facade over chdb: ${error.message}`);
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1', () =>
  console.log(`facade over chdb (no ClickHouse server): http://127.0.0.1:${port}`),
);

let stopping = false;
process.on('SIGTERM', () => {
  if (stopping) return;
  stopping = true;
  server.close(() => {
    sessions.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
  server.closeIdleConnections();
});
