// Apicurio Registry, which speaks Confluent's schema registry API under /apis/ccompat/v7.
import { join } from 'node:path';
import { httpGet } from '../http-get.mjs';
import { java, jvm } from '../java.mjs';

const version = '2.6.13.Final';
const loopback = '127.0.0.1';

/** @type {import('../kind.mjs').Kind} */
export const registry = {
  name: 'registry',
  java: true,
  artifact: { name: 'registry', version, goal: 'unpack', about: '146 MB' },
  ports: { http: 'STACK_REGISTRY_PORT' },
  heapMb: 256,
  readyTimeoutMs: 60_000,
  stopMs: 10_000,
  endpoints: ({ http }) => ({
    url: `http://${loopback}:${http}/apis/ccompat/v7`,
    webUrl: `http://${loopback}:${http}`,
  }),

  prepare({ name, dir, home, heapMb, ports: { http }, config }) {
    const settings = {
      'quarkus.http.host': loopback,
      'quarkus.http.port': http,
      LOG_LEVEL: 'WARN',
      REGISTRY_LOG_LEVEL: 'WARN',
      'quarkus.banner.enabled': false,
      // In a file and written at once, not in memory as by default: what was registered survives a kill.
      REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(dir, 'data/registry')};WRITE_DELAY=0`,
      '%prod.quarkus.datasource.jdbc.min-size': 2,
      '%prod.quarkus.datasource.jdbc.initial-size': 2,
      '%prod.quarkus.datasource.jdbc.max-size': 20,
      ...config,
    };
    const given = Object.entries(settings).map(([key, value]) => `-D${key}=${value}`);
    const flags = [...jvm(heapMb), '-XX:+UseSerialGC'];
    const jar = join(home, `apicurio-registry-app-${version}-runner.jar`);
    return { command: java(name), args: [...flags, ...given, '-jar', jar] };
  },

  isReady: async ({ ports: { http } }) =>
    (await httpGet(`http://${loopback}:${http}/apis/ccompat/v7/subjects`)).status === 200,
};
