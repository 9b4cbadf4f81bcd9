// The kind of the fake server, and a program that starts one: fake-kind.mjs prints its pid and folder, then waits to be killed.
import { fileURLToPath } from 'node:url';
import { httpGet } from '../../stack/src/http-get.mjs';
import { startServer } from '../../stack/src/start.mjs';

export const fakeKind = (behaviour = 'serve', more = {}) => ({
  name: 'fake',
  java: false,
  ports: { http: 'STACK_FAKE_PORT' },
  heapMb: 1,
  readyTimeoutMs: 10_000,
  stopMs: 500,
  endpoints: ({ http }) => ({ url: `http://127.0.0.1:${http}` }),
  prepare: ({ dir, ports: { http } }) => ({
    command: process.execPath,
    args: [fileURLToPath(new URL('fake-server.mjs', import.meta.url)), `${dir}/`, String(http), behaviour],
  }),
  isReady: async ({ ports: { http } }) => (await httpGet(`http://127.0.0.1:${http}`)).status === 200,
  ...more,
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startServer(fakeKind());
  console.log(JSON.stringify({ pid: server.pid, dir: server.dir }));
  if (process.argv[2] === 'throw') throw new Error('uncaught');
  if (process.argv[2] === 'wait') setInterval(() => undefined, 1_000);
}
