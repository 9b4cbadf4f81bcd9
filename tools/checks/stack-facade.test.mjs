// The facade of ClickHouse's HTTP interface, as its clients use it: the process and the embedded engine are the real ones.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startClickHouse } from '../stack/src/index.mjs';

describe('the facade over chdb', () => {
  let server;
  before(async () => {
    server = await startClickHouse();
    await ask('CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a');
  });
  after(() => server.stop());

  /** Sends a query with the fields of the URL; `body` is its data. */
  async function send(query, { fields = {}, body, headers = {} } = {}) {
    const url = new URL(server.url);
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
    if (body !== undefined) url.searchParams.set('query', query);
    return fetch(url, { method: 'POST', body: body ?? query, headers });
  }
  async function ask(query, options) {
    const response = await send(query, options);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text;
  }

  it('answers a ping, and a request without a query', async () => {
    assert.equal(await (await fetch(`${server.url}/ping`)).text(), 'Ok.\n');
    assert.equal(await (await fetch(server.url)).text(), 'Ok.\n');
  });

  it('takes rows as a body, compressed or not, and none at all', async () => {
    const insert = 'INSERT INTO t FORMAT JSONEachRow';
    const settings = { async_insert: '0' };
    await ask(insert, { fields: settings, body: '{"a":1,"s":"ä"}\n{"a":2,"s":"b"}\n' });
    const body = gzipSync('{"a":3,"s":"c"}\n');
    await ask(insert, { fields: settings, body, headers: { 'content-encoding': 'gzip' } });
    await ask(insert, { fields: settings, body: '' });
    assert.equal(await ask('SELECT a, s FROM t ORDER BY a FORMAT TSV'), '1\tä\n2\tb\n3\tc\n');
  });

  it('binds parameters of every kind as they are', async () => {
    const query = `SELECT {s:String} s, {n:Nullable(String)} n, {a:Array(String)} a, {m:Map(String, UInt64)} m,
      {t:Tuple(Int8, String)} t, {j:String} j FORMAT JSONEachRow`;
    const fields = {
      param_s: "it's\\ta \\\\ b",
      param_n: '\\N',
      param_a: "['o\\'n\\\\e','x\\ty']",
      param_m: "{'k':18446744073709551615}",
      param_t: "(-1,'b')",
      param_j: '[1, 2]',
      output_format_json_quote_64bit_integers: '1',
    };
    assert.deepEqual(JSON.parse(await ask(query, { fields })), {
      s: "it's\ta \\ b",
      n: null,
      a: ["o'n\\e", 'x\ty'],
      m: { k: '18446744073709551615' },
      t: [-1, 'b'],
      j: '[1, 2]',
    });
  });

  it('keeps settings and the database to the request, also among many at once', async () => {
    await ask('CREATE DATABASE other');
    const query = "SELECT getSetting('max_block_size') b, currentDatabase() d FORMAT JSONEachRow";
    const usual = JSON.parse(await ask(query));
    const requests = Array.from({ length: 100 }, async (_, index) => {
      const own = index % 2 === 1;
      const fields = own ? { max_block_size: String(1_000 + index), database: 'other' } : {};
      const answer = JSON.parse(await ask(query, { fields }));
      assert.deepEqual(answer, own ? { b: 1_000 + index, d: 'other' } : usual);
    });
    await Promise.all(requests);
    // A statement of its own does not outlive its request either.
    await ask('SET max_block_size = 77');
    assert.deepEqual(JSON.parse(await ask(query)), usual);
  });

  it('streams rows, compressed where asked, and goes on when a client leaves in the midst', async () => {
    const query = "SELECT number, repeat('x', 200) FROM numbers(500000) FORMAT TSV";
    const leaver = await send(query);
    const reader = leaver.body.getReader();
    await reader.read();
    await reader.cancel();
    const fields = { enable_http_compression: '1' };
    const whole = await send('SELECT number FROM numbers(200000) FORMAT TSV', {
      fields,
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.equal(whole.headers.get('content-encoding'), 'gzip');
    assert.equal((await whole.text()).split('\n').length, 200_001);
  });

  it('answers faults with their code as status and header', async () => {
    for (const { query, code, type, fields } of [
      { query: 'SELECT * FROM nope', code: '60', type: 'UNKNOWN_TABLE' },
      { query: 'SELEC 1', code: '62', type: 'SYNTAX_ERROR' },
      { query: 'SELECT throwIf(1) FORMAT JSONEachRow', code: '395', type: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' },
      { query: 'SELECT 1', code: '115', type: 'UNKNOWN_SETTING', fields: { nonsense: '1' } },
      { query: 'SELECT 1', code: '81', type: 'UNKNOWN_DATABASE', fields: { database: 'nowhere' } },
      { query: 'SELECT 1', code: '48', type: 'NOT_IMPLEMENTED', fields: { session_id: 'x' } },
    ]) {
      const response = await send(query, { fields });
      const text = await response.text();
      assert.ok(response.status >= 400, `${query}: ${response.status}`);
      assert.equal(response.headers.get('x-clickhouse-exception-code'), code, text);
      assert.ok(text.startsWith(`Code: ${code}. DB::Exception: `) && text.includes(`(${type})`), text);
    }
  });

  it('resets the connection when a query fails after its first rows', async () => {
    const response = await send('SELECT throwIf(number = 2000000) FROM numbers(3000000) FORMAT TSV');
    assert.equal(response.status, 200);
    await assert.rejects(response.text());
    assert.equal(await ask('SELECT 1'), '1\n');
  });

  it('keeps acknowledged rows through a kill', async () => {
    await ask('INSERT INTO t FORMAT JSONEachRow', { fields: { async_insert: '0' }, body: '{"a":9,"s":"kept"}' });
    await server.kill();
    await server.restart();
    assert.equal(await ask('SELECT s FROM t WHERE a = 9 FORMAT TSV'), 'kept\n');
  });
});
