import { Buffer } from 'node:buffer';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Message } from '@bento-bus/core';
import { connectOperations, newToken, type Operations, serveOperations } from '../src/index.ts';

export const message = (id: string, body: Uint8Array | null = Buffer.from(id)): Message => ({
  id,
  type: 'order.placed',
  source: '/test',
  time: 1_700_000_000_000,
  key: 'k',
  headers: { 'content-type': 'text/plain' },
  body,
});

/** Serves operations on a port of its own. */
export async function serve(operations: Partial<Operations>): Promise<{
  readonly url: string;
  readonly token: string;
  readonly server: Server;
  readonly remote: Operations;
  close(): Promise<void>;
}> {
  const token = newToken();
  const handle = serveOperations(operations as Operations, { token });
  const server = createServer((request, response) => {
    handle(request, response).then(
      (mine) => mine || response.writeHead(404).end('other'),
      (error: unknown) => response.destroy(error as Error),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const remote = connectOperations({ url, token });
  return {
    url,
    token,
    server,
    remote,
    close: async () => {
      await remote.close();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
