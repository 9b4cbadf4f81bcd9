import { mkdir } from 'node:fs/promises';
import { type ClickHouse, openClickHouse } from '@bento-bus/clickhouse-store';
import type { Logger } from '@bento-bus/core';
import type { OrderAppConfig } from './config.ts';

/** Opens the ClickHouse server that CLICKHOUSE_HOST names, else the embedded engine on the data directory. */
export async function openStore(config: OrderAppConfig, dataDir: string, logger: Logger): Promise<ClickHouse> {
  const { clickhouseHost, clickhousePort, clickhouseDatabase: database, clickhouseUser, clickhousePassword } = config;
  if (clickhouseHost === undefined) return openClickHouse({ path: dataDir, database, logger });
  await mkdir(dataDir, { recursive: true });
  return openClickHouse({
    url: serverUrl(clickhouseHost, clickhousePort),
    database,
    username: clickhouseUser,
    ...(clickhousePassword !== undefined && { password: clickhousePassword.reveal() }),
    logger,
  });
}

/** ClickHouse's ports for HTTP, https://clickhouse.com/docs/guides/sre/network-ports */
const httpPort = 8_123;
const httpsPort = 8_443;

/**
 * `host` is a name, an address, or a URL; a port of its own counts. Two colons or more are an IPv6 address. With https the standard port
 * stands for its secure one.
 */
export function serverUrl(host: string, port: number): string {
  if (!/^https?:\/\//i.test(host)) {
    const bare = /:.*:/.test(host) && !host.startsWith('[') ? `[${host}]` : host;
    return /^([^:]+|\[.*\]):\d+$/.test(bare) ? `http://${bare}` : `http://${bare}:${port}`;
  }
  const url = new URL(host);
  // Of URL itself a standard port cannot be told from none.
  const named = /^https?:\/\/[^/?#]*:\d+(?=[/?#]|$)/i.test(host);
  if (!named) url.port = `${url.protocol === 'https:' && port === httpPort ? httpsPort : port}`;
  return url.href;
}
