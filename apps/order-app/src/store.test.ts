import { describe, expect, it } from '@jest/globals';
import { serverUrl } from './store.ts';

describe('the address of a server', () => {
  it.each([
    ['localhost', 8123, 'http://localhost:8123'],
    ['10.0.0.1', 80, 'http://10.0.0.1:80'],
    ['::1', 8123, 'http://[::1]:8123'],
    ['[::1]', 8123, 'http://[::1]:8123'],
    ['clickhouse:9000', 8123, 'http://clickhouse:9000'],
    ['[::1]:9000', 8123, 'http://[::1]:9000'],
    ['fe80::1:9000', 8123, 'http://[fe80::1:9000]:8123'],
    ['http://clickhouse', 8124, 'http://clickhouse:8124/'],
    ['https://clickhouse:8443/path', 8123, 'https://clickhouse:8443/path'],
    ['http://clickhouse:80', 8123, 'http://clickhouse/'],
    ['http://[::1]', 8123, 'http://[::1]:8123/'],
    ['https://clickhouse', 8123, 'https://clickhouse:8443/'],
    ['https://clickhouse', 9443, 'https://clickhouse:9443/'],
  ])('of host %s and port %d is %s', (host, port, url) => {
    expect(serverUrl(host, port)).toBe(url);
  });
});
