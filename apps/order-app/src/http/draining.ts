import type { Socket } from 'node:net';
import type { Server } from './zod-schemas.ts';

/** How often is looked, while the server closes. Milliseconds. */
const everyMs = 50;

/** What is under way then is cut off: longer than the longest answer, which waits for the read model. Milliseconds. */
const longestMs = 7_000;

/**
 * A server that closes waits for its connections. Those that were busy then are kept alive after their answer, and those that browsers
 * open ahead never ask anything: both are closed here. Requests under way
 * are answered, in so far as they come and are answered in time: a request that was sent by half never does.
 */
export function drainConnections(server: Pick<Server, 'server' | 'addHook'>, patienceMs = longestMs): void {
  const open = new Set<Socket>();
  server.server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const closeUnused = (): void => {
    server.server.closeIdleConnections();
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
  server.addHook('preClose', async () => {
    const timer = setInterval(closeUnused, everyMs);
    const end = setTimeout(() => server.server.closeAllConnections(), patienceMs);
    server.server.once('close', () => {
      clearInterval(timer);
      clearTimeout(end);
    });
  });
}
