import { setTimeout as delay } from 'node:timers/promises';
import { isOnThisMachine } from './guards.ts';
import { HttpProblem, pathOf } from './problems.ts';
import type { Shop } from './shop.ts';
import type { Streams } from './streams.ts';
import type { Server } from './zod-schemas.ts';

/** A server that closes waits so long for operations to end. Milliseconds. */
const patienceMs = 5_000;

/**
 * The endpoint of `bento`, for this machine only, whatever the server is bound to: for others it is not there. Registered after the hook
 * that closes `streams`: a server that closes breaks operations off, and waits until they have tidied up.
 */
export function registerOperationsRoute(server: Server, { bento }: Pick<Shop, 'bento'>, streams: Streams): void {
  const running = new Set<Promise<boolean>>();
  let closing = false;
  server.all(
    '/bento/*',
    {
      schema: { hide: true },
      // Before a body is read: it is theirs to read.
      onRequest: async (request, reply) => {
        const nothing = (): HttpProblem => new HttpProblem(404, `There is nothing at ${pathOf(request)}.`);
        if (!isOnThisMachine(request.socket)) throw nothing();
        if (closing) throw new HttpProblem(503, 'The server is closing.');
        streams.add(reply.raw);
        const answer = bento(request.raw, reply.raw);
        running.add(answer);
        try {
          // A path such as /bento/../x is none of theirs.
          if (!(await answer)) throw nothing();
          reply.hijack();
        } finally {
          running.delete(answer);
        }
      },
    },
    async () => {},
  );
  server.addHook('preClose', async () => {
    closing = true;
    const inTime = new AbortController();
    await Promise.race([
      Promise.allSettled(running),
      delay(patienceMs, undefined, { signal: inTime.signal }).catch(() => {}),
    ]);
    inTime.abort();
  });
}
