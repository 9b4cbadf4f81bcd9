// ClickHouse's HTTP interface as a thin facade over the embedded engine chdb, in a process of its own: no ClickHouse server.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { httpGet } from '../http-get.mjs';

const main = fileURLToPath(new URL('../facade/main.mjs', import.meta.url));

/** @type {import('../kind.mjs').Kind} */
export const clickhouse = {
  name: 'clickhouse',
  java: false,
  ports: { http: 'STACK_CLICKHOUSE_PORT' },
  heapMb: 1_024,
  readyTimeoutMs: 30_000,
  stopMs: 10_000,
  endpoints: ({ http }) => ({ url: `http://127.0.0.1:${http}`, host: '127.0.0.1', port: String(http) }),

  prepare({ dir, ports: { http }, heapMb }) {
    const args = [`--max-old-space-size=${heapMb}`, main, join(dir, 'data'), String(http)];
    // The engine takes its time zone from the process; servers keep UTC.
    return { command: process.execPath, args, environment: { TZ: 'UTC', NODE_OPTIONS: '' } };
  },

  isReady: async ({ ports: { http } }) => (await httpGet(`http://127.0.0.1:${http}/ping`)).body === 'Ok.\n',
};
