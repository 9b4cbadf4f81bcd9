import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Middleware } from '@bento-bus/core';
import type { InProcessTransport } from '../../src/index.ts';
import type { Handle, Request } from './protocol.ts';
import { Rpc } from './rpc.ts';

/** A transport of this process, for others on this machine. */
export interface Served {
  readonly port: number;
  /** Cuts all connections and takes new ones again, as a broker does that restarts on its data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Serves the transport: whoever connects is a client of its own, whose members are gone when the connection is. */
export async function serve(transport: InProcessTransport): Promise<Served> {
  const clients = new Set<Rpc>();
  const server = createServer((socket) => {
    const client = connection(transport, socket);
    clients.add(client);
    void client.closed.then(() => clients.delete(client));
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const end = async (): Promise<void> => {
    const ended = once(server, 'close');
    server.close();
    for (const client of clients) client.cut();
    await ended;
  };
  const port = await listen(0);
  return {
    port,
    restart: async () => {
      await end();
      await listen(port);
    },
    close: async () => {
      await end();
      await transport.close();
    },
  };
}

function connection(transport: InProcessTransport, socket: Socket): Rpc {
  const handles = new Set<Handle>();
  const closing = new AbortController();
  const known = <H extends Handle>(handle: H): H => {
    handles.add(handle);
    return handle;
  };
  const client = new Rpc(socket, async (request: Request): Promise<Handle | undefined> => {
    if ('publish' in request) {
      await transport.publish(request.publish, request.messages);
      return undefined;
    }
    if ('open' in request) {
      const { open, options } = request;
      const { signal } = closing;
      const publisher = await transport.openCheckpointed(open, { ...options, signal });
      const { resumeAfter } = publisher;
      return known({
        resumeAfter,
        publish: (items, through) => publisher.publish(items, through),
        close: () => publisher.close(),
      });
    }
    const { subscribe, options, handler, exhausted } = request;
    const hook: Middleware = (next, context) => {
      if (exhausted !== undefined) context.onExhausted(exhausted);
      return next;
    };
    const subscription = await transport.subscribeBatch(subscribe, handler, { ...options, use: [hook] });
    return known({ close: () => subscription.close() });
  });
  const ended = async (): Promise<void> => {
    await client.closed;
    // First the members leave, so that what their handlers had comes to others.
    for (const { close } of handles) close().catch(() => {});
    closing.abort();
    client.cut();
  };
  void ended();
  return client;
}
