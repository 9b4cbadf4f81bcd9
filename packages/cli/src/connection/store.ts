import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouse } from '@bento-bus/clickhouse-store';
import type { BentoConfig } from './config.ts';

/** Where an event store is. */
export type StorePlace =
  | { readonly url: string; readonly name: string }
  | { readonly path: string; readonly name: string };

/** The server that CLICKHOUSE_HOST names, else the embedded engine's directory, where there is one. */
export function storePlace(config: BentoConfig, dataDir: string): StorePlace | undefined {
  const { clickhouseHost, clickhousePort, clickhouseDatabase } = config;
  if (clickhouseHost !== undefined) {
    const url = serverUrl(clickhouseHost, clickhousePort);
    return { url, name: `${url.replace(/(?<=\/\/)[^/@]*@|\/+$/g, '')}/${clickhouseDatabase}` };
  }
  // Lies in every data directory from before the engine first opens it.
  return existsSync(join(dataDir, 'bento-bus.json')) ? { path: dataDir, name: `embedded ${dataDir}` } : undefined;
}

/** Who asks a server: the URL's own user, else that of the configuration. `url` is without. */
export function accessOf(
  { url }: { readonly url: string },
  { clickhouseUser, clickhousePassword }: BentoConfig,
): { readonly url: string; readonly username: string; readonly password?: string } {
  const parts = URL.canParse(url) ? new URL(url) : undefined;
  if (parts === undefined || parts.username === '')
    return {
      url,
      username: clickhouseUser,
      ...(clickhousePassword !== undefined && { password: clickhousePassword.reveal() }),
    };
  const [username, password] = [parts.username, parts.password].map(decodeURIComponent) as [string, string];
  parts.username = '';
  parts.password = '';
  return { url: parts.href, username, password };
}

/** As it is: only the application makes a database or tables; where they are missing, that is the error. The caller closes it. */
export async function openStore(place: StorePlace, config: BentoConfig, timeoutMs: number): Promise<ClickHouse> {
  const { openClickHouse } = await import('@bento-bus/clickhouse-store');
  const { clickhouseDatabase: database } = config;
  if ('path' in place) return openClickHouse({ path: place.path, database, create: false });
  return openClickHouse({ ...accessOf(place, config), database, requestTimeoutMs: timeoutMs, create: false });
}

/** ClickHouse's ports for HTTP, https://clickhouse.com/docs/guides/sre/network-ports */
const httpPort = 8_123;
const httpsPort = 8_443;

/** `host` is a name, an address, or a URL, whose own port counts; with https the standard port stands for its secure one. */
function serverUrl(host: string, port: number): string {
  if (!/^https?:\/\//i.test(host)) {
    if (/^[^:]+:\d{1,5}$/.test(host)) return `http://${host}`;
    const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
    return `http://${bare}:${port}`;
  }
  const url = new URL(host);
  const named = /^https?:\/\/[^/?#]*:\d+(?=[/?#]|$)/i.test(host);
  if (!named) url.port = `${url.protocol === 'https:' && port === httpPort ? httpsPort : port}`;
  return url.href;
}
