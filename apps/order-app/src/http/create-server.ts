import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import fastify from 'fastify';
import { drainConnections } from './draining.ts';
import { registerGroupRoutes } from './group-routes.ts';
import { registerGuards, type ServerNames } from './guards.ts';
import { registerHealthRoutes } from './health-routes.ts';
import { registerOperationsRoute } from './operations-route.ts';
import { registerOrderRoutes } from './order-routes.ts';
import { registerPage } from './page/register-page.ts';
import { HttpProblem, pathOf, problemHandler, statusOf } from './problems.ts';
import type { Shop } from './shop.ts';
import { registerStreamRoute } from './stream-route.ts';
import { Streams } from './streams.ts';
import { documented, type Server, serializerCompiler, validatorCompiler, type ZodTypes } from './zod-schemas.ts';

/** Largest body of a request: an order of 1,000 lines. Bytes. */
const bodyLimit = 2_097_152;

/** How long a client may take to send its request. Milliseconds. */
const requestTimeout = 30_000;

/** The HTTP server of a shop. Closing it ends its streams and lets requests finish, for a few seconds. */
export async function createServer(shop: Shop, names: ServerNames): Promise<Server> {
  const server: Server = fastify({
    bodyLimit,
    requestTimeout,
    // The whole path of an order with a long number, each of its characters in percent.
    routerOptions: { maxParamLength: 1_200 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: ({ headers }) => correlationOf(headers['x-correlation-id']),
    frameworkErrors: (error, request, reply) => void problemHandler(shop.logger)(error, request, reply),
  }).withTypeProvider<ZodTypes>();
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler(problemHandler(shop.logger));
  server.setNotFoundHandler((request) => {
    throw new HttpProblem(404, `There is nothing at ${pathOf(request)}.`);
  });
  server.removeContentTypeParser('text/plain');
  registerGuards(server, names);
  traceRoutes(server, shop);

  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Order app',
        version: '1',
        description: 'The sample shop of Bento Bus. Times are ISO 8601 in UTC; money is a string with two decimals.',
      },
    },
    transform: ({ schema, url }) => ({ schema: documented(schema as Record<string, unknown>), url }),
  });
  const streams = new Streams();
  server.addHook('preClose', async () => streams.close());
  drainConnections(server);
  registerOrderRoutes(server, shop);
  registerGroupRoutes(server, shop);
  registerStreamRoute(server, shop, streams);
  registerHealthRoutes(server, shop);
  registerOperationsRoute(server, shop, streams);
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  await server.register(registerPage);
  return server;
}

/** Taken from the request where it is one word of visible ASCII. */
const correlationOf = (given: string | readonly string[] | undefined): string =>
  typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();

/**
 * A span around the handler of every route. What a client did wrong is no error of the server's span (OpenTelemetry, HTTP conventions).
 * A read joins the trace of who asks, and begins none: the page asks again whenever something happens.
 */
function traceRoutes(server: Server, { traced }: Shop): void {
  server.addHook('onRoute', (options) => {
    const { handler, url } = options;
    if (!url.startsWith('/api/') || url === '/api/stream') return;
    options.handler = async function handle(request, reply) {
      const { method, headers } = request;
      if ((method === 'GET' || method === 'HEAD') && headers['traceparent'] === undefined)
        return await handler.call(this, request, reply);
      const ended = await traced({ method, route: url, headers }, async (setStatus) => {
        try {
          const value: unknown = await handler.call(this, request, reply);
          setStatus(reply.statusCode);
          return { value };
        } catch (error) {
          const status = statusOf(error);
          setStatus(status);
          if (status >= 500) throw error;
          return { error };
        }
      });
      if ('error' in ended) throw ended.error;
      return ended.value;
    };
  });
}
