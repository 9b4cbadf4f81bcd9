import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import { readPageFiles } from './page-files.ts';
import { registerPage } from './register-page.ts';

describe('the page over HTTP', () => {
  let server: FastifyInstance;

  beforeAll(async () => {
    server = fastify();
    await server.register(registerPage);
  });
  afterAll(() => server.close());

  it('is at the root, and may load nothing but files of this server', async () => {
    const { statusCode, headers, body } = await server.inject('/');
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(body).toContain('<title>Orders');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });

  it('is asked for again by its tag, and not sent again while it is the same', async () => {
    const { headers, body } = await server.inject('/assets/js/main.js');
    const etag = String(headers['etag']);
    expect(headers).toMatchObject({ 'cache-control': 'no-cache', 'content-type': 'text/javascript; charset=utf-8' });
    expect(body.length).toBeGreaterThan(1_000);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await server.inject({ url: '/assets/js/main.js', headers: { 'if-none-match': known } });
      expect([known, again.statusCode, again.body, again.headers['etag']]).toEqual([known, 304, '', etag]);
    }
    const other = await server.inject({ url: '/assets/js/main.js', headers: { 'if-none-match': '"other"' } });
    expect(other.statusCode).toBe(200);
  });

  it('has every file that its files name', async () => {
    const files = await readPageFiles();
    const named = files.flatMap(({ name, bytes }) => {
      const from = new URL(name === 'index.html' ? '/' : `/assets/${name}`, 'http://page');
      const references = bytes.toString().matchAll(/(?:src|href)="(\/[^"#]+)"|(?:from|import) '([^']+)'/g);
      return Array.from(references, ([, link, module]) => new URL(link ?? module ?? '', from).pathname);
    });
    const assets = [...new Set(named)].filter((path) => path.startsWith('/assets/'));
    expect(assets.length).toBeGreaterThan(15);
    for (const path of assets) expect([path, (await server.inject(path)).statusCode]).toEqual([path, 200]);
  });

  it('names all its modules in the document, so that they come at once and not one after another', async () => {
    const { body } = await server.inject('/');
    const modules = (await readPageFiles())
      .filter(({ name }) => name.endsWith('.js'))
      .map(({ name }) => `/assets/${name}`);
    const named = Array.from(body.matchAll(/(?:modulepreload" href|module" src)="([^"]+)"/g), ([, path]) => path);
    expect(new Set(named)).toEqual(new Set(modules));
  });

  it('serves what is in its folder, and no way leads out of it', async () => {
    for (const path of [
      '/assets/',
      '/assets/nothing.js',
      '/assets/../package.json',
      '/assets/%2e%2e/package.json',
      '/assets/..%2fpackage.json',
    ])
      expect([path, (await server.inject(path)).statusCode]).toEqual([path, 404]);
  });

  it('has no code in its markup, no data that becomes markup, and no address elsewhere', async () => {
    for (const { name, bytes } of await readPageFiles()) {
      const text = bytes.toString().replaceAll('http://www.w3.org/2000/svg', '');
      expect([
        name,
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?:\/\//.exec(text)?.[0],
      ]).toEqual([name, undefined]);
    }
    const { body } = await server.inject('/');
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/);
  });
});
