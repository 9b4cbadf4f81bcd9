import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { oauth2Token } from './oauth2.ts';

let asked: string[] = [];
let answer: { status: number; body: unknown };
const server = createServer((request, response) => {
  let form = '';
  request.on('data', (chunk) => {
    form += String(chunk);
  });
  request.on('end', () => {
    asked.push(`${request.url} ${form}`);
    response.statusCode = answer.status;
    response.end(JSON.stringify(answer.body));
  });
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const tokens = (): (() => Promise<string>) => {
  asked = [];
  return oauth2Token(
    { type: 'oauth2', tokenUrl: url, clientId: 'me', clientSecret: 'S3CRET', scope: 'a b' },
    {},
    2_000,
  );
};

describe('OAuth 2.0', () => {
  it('asks once, however many want a token, and again when little of its life is left', async () => {
    answer = { status: 200, body: { access_token: 'one', expires_in: 0.2 } };
    const get = tokens();
    expect(await Promise.all([get(), get(), get()])).toEqual(['one', 'one', 'one']);
    expect(asked).toEqual(['/token grant_type=client_credentials&client_id=me&client_secret=S3CRET&scope=a+b']);
    answer = { status: 200, body: { access_token: 'two', expires_in: 3_600 } };
    // As long as half of its life is left.
    for (const end = performance.now() + 5_000; (await get()) === 'one'; )
      if (performance.now() > end) throw new Error('it was kept too long');
    expect(await get()).toBe('two');
    expect(asked).toHaveLength(2);
  });

  it.each([
    [401, { error: 'invalid_client', error_description: 'S3CRET is wrong' }, 'AUTHENTICATION', false],
    [400, 'no object', 'AUTHENTICATION', false],
    [200, {}, 'AUTHENTICATION', false],
    [503, {}, 'CONNECTION', true],
  ])('%i %j is %s', async (status, body, code, retryable) => {
    answer = { status, body };
    const error = await tokens()().catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code, retryable });
    expect((error as Error).message).not.toContain('S3CRET');
  });
});
