import { z } from 'zod';
import { answers, text } from './responses.ts';
import { Health } from './schemas.ts';
import type { HealthReport, Shop } from './shop.ts';
import type { Server } from './zod-schemas.ts';

const tags = ['health'];

/** For who keeps the process running and looks at it. */
export function registerHealthRoutes(server: Server, { health, metrics }: Shop): void {
  const route = (path: string, summary: string, look: () => Promise<HealthReport> | HealthReport): void => {
    server.get(
      path,
      { schema: { tags, summary, response: answers({ 200: Health, 503: Health }) } },
      async (_, reply) => {
        const { status, checks } = await look();
        return reply
          .code(status === 'ok' ? 200 : 503)
          .header('cache-control', 'no-store')
          .send({ status, checks: checks.map(checkView) });
      },
    );
  };
  route('/health/live', 'Whether the process should go on', () => health.live());
  route('/health/ready', 'Whether it should get requests', () => health.ready());

  server.get(
    '/metrics',
    { schema: { tags, summary: 'Metrics', response: text('text/plain', 'Prometheus text', z.string()) } },
    async (_, reply) => reply.header('content-type', metrics.contentType).send(await metrics.metrics()),
  );
}

const checkView = ({ name, ok, detail }: HealthReport['checks'][number]): HealthReport['checks'][number] => ({
  name,
  ok,
  ...(detail !== undefined && { detail }),
});
