import { type AddressInfo, isIPv6 } from 'node:net';
import { writeEndpoint } from '@bento-bus/admin';
import type { Closeable } from '@bento-bus/core';
import { closeAll, closeOnce } from '@bento-bus/core/adapter';
import { createServer } from '../http/create-server.ts';
import { type OpenShop, type OpenShopOptions, openShop } from './open-shop.ts';

/** A shop that answers over HTTP. */
export interface ServedShop extends Closeable {
  readonly shop: OpenShop;
  /** Where people find it: `http://127.0.0.1:3000`. */
  readonly url: string;
}

export interface ServeOptions extends OpenShopOptions {
  /** Work before the first request is taken. @default none */
  readonly prepare?: (shop: OpenShop) => Promise<void>;
}

/**
 * Opens the shop and listens where HOST and PORT of its configuration say. Closing drains: the shop is not ready, streams end, requests
 * under way are answered, then the application closes.
 */
export async function serve({ prepare, ...options }: ServeOptions): Promise<ServedShop> {
  const { config, dataDir } = options;
  const shop = await openShop(options);
  const closing: (() => Promise<void>)[] = [() => shop.close()];
  const close = closeOnce(async () => {
    await shop.health.drain();
    await closeAll(closing);
  });
  try {
    await prepare?.(shop);
    const server = await createServer(shop, config);
    closing.push(() => server.close());
    await listen(server, config);
    const { address, port } = server.server.address() as AddressInfo;
    const everywhere = ['0.0.0.0', '::'].includes(address);
    const at = (host: string): string => `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
    const url = at(everywhere ? 'localhost' : config.host);
    const forget = await writeEndpoint(dataDir, { url: everywhere ? at('127.0.0.1') : url, token: shop.token });
    closing.push(forget);
    return { shop, url, ...close };
  } catch (error) {
    await close.close();
    throw error;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'somebody listens there already. Give another --port; 0 takes any that is free',
  EACCES: 'this user may not. Give a --port from 1024',
  EADDRNOTAVAIL: 'this machine has no such address. Give another --host',
  ENOTFOUND: 'there is no such name. Give another --host',
};

async function listen(
  server: { listen(options: { host: string; port: number }): Promise<string> },
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const reason = reasons[(error as NodeJS.ErrnoException).code ?? ''];
    if (reason === undefined) throw error;
    throw new Error(`order-app: cannot listen on ${host}, port ${port}: ${reason}.`, { cause: error });
  }
}
