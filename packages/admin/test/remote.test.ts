import { Buffer } from 'node:buffer';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@bento-bus/conformance';
import { BentoError } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectOperations, type Operations, serveOperations } from '../src/index.ts';
import { message, serve } from './support.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
const open = async (operations: Partial<Operations>): ReturnType<typeof serve> => {
  const served = await serve(operations);
  opened.push(served);
  return served;
};
const ndjson = async (response: Response): Promise<unknown> => JSON.parse(await response.text()) as unknown;

describe('operations over an endpoint', () => {
  it('take arguments and give results as they are, bytes too', async () => {
    const seen: unknown[] = [];
    const { remote } = await open({
      listTopics: async (options) => [`with ${JSON.stringify(options)}`],
      publish: async (...args) => {
        seen.push(...args);
      },
      peek: async (topic, _, options) => [
        { topic, position: '1:0', partition: options?.partition ?? -1, message: message('m', Buffer.from([0, 255])) },
        { topic, position: '2:0', message: message('tombstone', null) },
      ],
      about: async () => ({ backend: 'kafka', remote: false }),
      createGroup: async () => false,
    });
    expect(await remote.listTopics({ prefix: 'ä\n' })).toEqual(['with {"prefix":"ä\\n"}']);
    expect(await remote.listTopics()).toEqual(['with undefined']);
    expect(await remote.publish('t', [message('a', new Uint8Array([1, 2]))])).toBeUndefined();
    expect(seen).toEqual(['t', [message('a', new Uint8Array([1, 2]))]]);
    const [first, second] = await remote.peek('t', 'g', { partition: 3 });
    expect([first?.partition, [...(first?.message.body ?? [])], second?.message.body]).toEqual([3, [0, 255], null]);
    expect(await remote.about()).toEqual({ backend: 'kafka', remote: true });
    expect(await remote.createGroup('t', 'g')).toBe(false);
  });

  it('throw what was thrown there, with its code', async () => {
    const { remote } = await open({
      describeTopic: async () => Promise.reject(new BentoError('UNKNOWN_TOPIC', 'no such topic', true)),
      deleteTopic: async () => Promise.reject(new TypeError('broken')),
    });
    await expect(remote.describeTopic('t')).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC',
      message: 'no such topic',
      retryable: true,
    });
    await expect(remote.deleteTopic('t')).rejects.toMatchObject({ code: 'REMOTE', message: 'broken' });
  });

  it('tell progress, and end there when the caller ends here', async () => {
    let ended: AbortSignal | undefined;
    const { remote } = await open({
      redrive: async (_t, _g, options) => {
        ended = options?.signal;
        options?.onProgress?.({ looked: 1, done: 1, kept: 0 });
        await new Promise((resolve) => {
          options?.signal?.addEventListener('abort', resolve, { once: true });
        });
        return { looked: 1, done: 1, kept: 0, complete: false };
      },
    });
    const mine = new AbortController();
    const progress: unknown[] = [];
    const running = remote.redrive('t', 'g', {
      limit: 5,
      signal: mine.signal,
      onProgress: (one) => {
        progress.push(one);
        mine.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(progress).toEqual([{ looked: 1, done: 1, kept: 0 }]);
    await eventually(() => ended?.aborted, { deadlineMs: 5_000 });
  });

  it('stream what comes, and leave nothing running when the reader breaks off', async () => {
    let closed = false;
    const { remote } = await open({
      async *tail(topic, options) {
        try {
          for (let i = 0; options?.signal?.aborted !== true; i += 1) {
            yield { topic, position: String(i), message: message(`m${i}`) };
            await sleep(1);
          }
        } finally {
          closed = true;
        }
      },
    });
    const seen: string[] = [];
    for await (const { position } of remote.tail('t', { from: 'earliest' })) {
      seen.push(position);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['0', '1', '2']);
    await eventually(() => closed, { deadlineMs: 5_000 });
  });

  it('hold a stream back while its reader is slow, and keep no listener a line', async () => {
    let given = 0;
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    const { remote } = await open({
      async *tail(topic) {
        for (; given < 2_000; given += 1)
          yield { topic, position: String(given), message: message('m', Buffer.alloc(16_384)) };
      },
    });
    const stream = remote.tail('t')[Symbol.asyncIterator]();
    await stream.next();
    await sleep(200);
    const held = given;
    expect(held).toBeLessThan(2_000);
    let seen = 1;
    while ((await stream.next()).done !== true) seen += 1;
    expect(seen).toBe(2_000);
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  it('refuse who has no token, what is not known and what is no request', async () => {
    const { url, token } = await open({ about: async () => ({ backend: 'kafka', remote: false }) });
    const ask = (path: string, init: RequestInit & { readonly bearer?: string }): Promise<Response> =>
      fetch(`${url}${path}`, {
        method: 'POST',
        body: '[]',
        ...init,
        headers: { authorization: `Bearer ${init.bearer ?? token}` },
      });
    const answers = [
      await ask('/bento/v1/about', { bearer: 'x'.repeat(32) }),
      await fetch(`${url}/bento/v1/about`, { method: 'POST', body: '[]' }),
      await ask('/bento/v2/about', {}),
      await ask('/bento/v1/constructor', {}),
      await ask('/bento/v1/about', { method: 'PUT' }),
      await ask('/bento/v1/about', { body: '{' }),
      await ask('/bento/v1/about', { body: '{}' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 404, 404, 405, 400, 400]);
    expect(await ndjson(answers[0] as Response)).toMatchObject({
      error: { code: 'AUTHENTICATION', message: expect.stringContaining('bento-endpoint.json') },
    });
    expect(await (await fetch(`${url}/elsewhere`)).text()).toBe('other');
    const raw = await new Promise<number | undefined>((resolve, reject) => {
      request(url, { path: '/bento/../x' }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(raw).toBe(401);
    const other = connectOperations({ url, token: 'another one, and long' });
    await expect(other.about()).rejects.toMatchObject({ code: 'AUTHENTICATION' });
    expect(() => serveOperations({} as Operations, { token: 'short' })).toThrow(/16 characters/);
  });

  it('say so when the application is not there, is something else, or breaks off', async () => {
    const { url, server, token, remote } = await open({
      about: () => new Promise(() => {}),
      listTopics: async () => [],
    });
    const asked = remote.about();
    await remote.listTopics();
    server.closeAllConnections();
    await expect(asked).rejects.toMatchObject({ code: 'CONNECTION', retryable: true });
    const html = connectOperations({
      url,
      token,
      fetch: async () => new Response('<p>', { status: 200, headers: { 'content-type': 'text/html' } }),
    });
    await expect(html.about()).rejects.toThrow(/not as an application of Bento Bus/);
    const nobody = connectOperations({ url: 'http://127.0.0.1:1', token });
    await expect(nobody.about()).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringMatching(/127\.0\.0\.1:1: .*(ECONNREFUSED|bad port)/),
    });
  });

  it('end what is under way on close', async () => {
    const { remote } = await open({ about: () => new Promise(() => {}) });
    const asked = remote.about();
    await remote.close();
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
