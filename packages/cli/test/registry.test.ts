import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { bento, json } from './support.ts';

/** What Apicurio Registry 2.6.13 answered, at its `/apis/ccompat/v7`. The test on Pulsar's own registry has a real server. */
const answers: Readonly<Record<string, string>> = {
  '/subjects': '["orders-value"]',
  '/subjects/orders-value/versions': '[1,2]',
  '/subjects/orders-value/versions/latest':
    '{"id":2,"references":[],"schema":"{\\"type\\":\\"string\\"}","schemaType":"AVRO","subject":"orders-value","version":2}',
  '/subjects/orders-value/versions/1':
    '{"id":1,"schema":"{\\"type\\":\\"int\\"}","subject":"orders-value","version":1}',
};
const asked: (string | undefined)[] = [];
const server = createServer((request, response) => {
  asked.push(request.headers.authorization);
  const answer = answers[request.url ?? ''];
  response.statusCode = request.headers.authorization === 'Basic YTpi' ? (answer === undefined ? 404 : 200) : 401;
  response.end(answer ?? '{"error_code":40401,"message":"not there"}');
});
beforeAll(
  () =>
    new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    }),
);
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const env = (user: string) => ({
  SCHEMA_REGISTRY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  SCHEMA_REGISTRY_USERNAME: user,
  SCHEMA_REGISTRY_PASSWORD: 'b',
});

it("schemas: list and show by the API of Confluent's, with credentials", async () => {
  const given = { env: env('a') };
  expect(json(await bento(['schemas', 'list', '--json'], given))).toEqual([{ subject: 'orders-value', version: 2 }]);
  const latest = { subject: 'orders-value', version: 2, format: 'AVRO', id: 2, text: '{"type":"string"}' };
  expect(json(await bento(['schemas', 'show', 'orders-value', '--json'], given))).toEqual(latest);
  const first = await bento(['schemas', 'show', 'orders-value', '--version', '1'], given);
  expect(first.out).toBe('subject  orders-value\nversion  1\nformat   AVRO\nid       1\n\n{\n  "type": "int"\n}\n');
  expect(await bento(['schemas', 'show', 'none'], given)).toMatchObject({ code: 1, out: '' });
  expect(asked).toEqual(asked.map(() => 'Basic YTpi'));
});

it('schemas: tells wrong credentials, also by doctor', async () => {
  const given = { env: env('x') };
  const { code, err } = await bento(['schemas', 'list'], given);
  expect({ code, err }).toMatchObject({
    code: 1,
    err: expect.stringMatching(/does not take these credentials.* Correct them\.\n$/),
  });
  const doctor = await bento(['doctor', '--quiet'], given);
  expect(doctor.code).toBe(1);
  expect(doctor.out).toMatch(/^fault {4}schemas: .*credentials.*\n +→ Correct them\.\n1 fault, 0 warnings/);
});

it.each([
  ['http://user:pass%zzword@127.0.0.1:1', 'percent-encoded'],
  ['http://user:pass/word@127.0.0.1:1', 'wanted is a URL'],
])('schemas: refuses SCHEMA_REGISTRY_URL=%s without showing user and password', async (url, why) => {
  for (const argv of [['schemas', 'list'], ['doctor']]) {
    const { code, out, err } = await bento(argv, { env: { SCHEMA_REGISTRY_URL: url } });
    expect(code).toBe(argv[0] === 'doctor' ? 1 : 2);
    expect(`${out}${err}`).toContain('SCHEMA_REGISTRY_URL');
    expect(`${out}${err}`).toContain(why);
    expect(`${out}${err}`).not.toMatch(/user:|pass(?!word)|word@/);
  }
});

it.each([['schemas', 'list'], ['doctor']])(
  'refuses a PULSAR_WEB_URL with a user without showing it: %j',
  async (...argv) => {
    const given = { env: { MESSAGE_BUS_TYPE: 'pulsar', PULSAR_WEB_URL: 'http://admin:s3cret@127.0.0.1:1' } };
    const { code, out, err } = await bento(argv, given);
    expect(code).not.toBe(0);
    expect(`${out}${err}`).toMatch(/PULSAR_WEB_URL is \\?"http:\/\/\*\*\*@127\.0\.0\.1:1\\?": .*PULSAR_TOKEN/);
    expect(`${out}${err}`).not.toMatch(/admin|s3cret/);
  },
);
