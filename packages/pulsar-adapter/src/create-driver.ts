import type { Admin } from './admin.ts';
import type { Driver } from './driver.ts';
import type { ResolvedOptions } from './options.ts';
import { createWebSocketDriver } from './websocket/driver.ts';

/** The driver that the options ask for; says which one `'auto'` took. */
export async function createDriver(options: ResolvedOptions, admin: Admin): Promise<Driver> {
  const { driver, logger, webUrl, requestTimeoutMs, heartbeatMs, security } = options;
  const url = webUrl.replace(/^http/, 'ws');
  const webSocket = (): Driver => createWebSocketDriver({ url, security, timeoutMs: requestTimeoutMs, heartbeatMs });
  if (driver === 'websocket') return webSocket();
  const { nativeUnavailable } = await import('./native/load.ts');
  const reason = options.client === undefined ? await nativeUnavailable() : undefined;
  if (driver === 'auto' && reason !== undefined) {
    logger.info('pulsar-adapter: the WebSocket driver was taken', { reason });
    return webSocket();
  }
  if (driver === 'auto') logger.info('pulsar-adapter: the native driver was taken');
  const { createNativeDriver } = await import('./native/driver.ts');
  return createNativeDriver({ ...options, admin });
}
