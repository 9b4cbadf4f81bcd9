import { z } from 'zod';
import { text } from './responses.ts';
import type { Shop } from './shop.ts';
import type { Streams } from './streams.ts';
import type { Server } from './zod-schemas.ts';

/** A comment so often keeps proxies from closing a quiet stream. Milliseconds. */
const keepAliveMs = 15_000;
/** How long a browser waits before it comes again. Milliseconds. */
const retryMs = 1_000;
/** Bytes that a client may leave unread; one that is slower is cut off and comes again with its `Last-Event-ID`. */
const mostUnread = 1_048_576;

/** Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function registerStreamRoute(server: Server, { feed, groups }: Shop, streams: Streams): void {
  server.get(
    '/api/stream',
    {
      // It would never end.
      exposeHeadRoute: false,
      schema: {
        tags: ['stream'],
        summary: 'What happens, as it happens: orders, groups, failed messages',
        headers: z.object({ 'last-event-id': z.string().max(500).optional() }),
        response: text('text/event-stream', 'Events `order`, `groups` and `failed`', z.string()),
      },
    },
    async (request, reply) => {
      reply.hijack();
      const { raw: response } = reply;
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) response.setHeader(name, value);
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
      response.write(`retry: ${retryMs}\n\n`);
      const send = (lines: string): void => {
        if (response.writableLength > mostUnread) response.destroy();
        else response.write(lines);
      };
      const event = (name: string, data: unknown, id?: string): void =>
        send(`event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
      const ends = [
        feed.follow(request.headers['last-event-id'] || undefined, ({ position, ...order }) =>
          event('order', order, position),
        ),
        groups.follow({ groups: (found) => event('groups', found), failed: (count) => event('failed', { count }) }),
      ];
      const alive = setInterval(() => send(':\n\n'), keepAliveMs);
      response.once('close', () => {
        clearInterval(alive);
        for (const end of ends) end();
      });
      streams.add(response);
    },
  );
}
