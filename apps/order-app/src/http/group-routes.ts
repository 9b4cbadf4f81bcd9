import type { FailedMessage, FailedRunOptions, FailedRun as Run } from '@bento-bus/admin';
import type { z } from 'zod';
import { isoTime } from './order-view.ts';
import { answers } from './responses.ts';
import { Failed, FailedDone, FailedRun, Groups } from './schemas.ts';
import type { Shop } from './shop.ts';
import type { Server } from './zod-schemas.ts';

/** Messages shown at most. */
const mostShown = 200;
const tags = ['operations'];

/** How far consumers are, and what they could not handle. */
export function registerGroupRoutes(server: Server, { groups, operations }: Shop): void {
  server.get(
    '/api/groups',
    { schema: { tags, summary: 'How far consumer groups are', response: answers({ 200: Groups }) } },
    () => groups.refresh(),
  );

  server.get(
    '/api/failed',
    { schema: { tags, summary: 'Messages that could not be handled', response: answers({ 200: Failed }) } },
    async (): Promise<z.infer<typeof Failed>> => {
      const places = await operations.failedPlaces();
      const messages: FailedMessage[] = [];
      for (const { topic, group, count } of places)
        if (count > 0 && messages.length < mostShown)
          messages.push(...(await operations.listFailed(topic, group, { limit: mostShown - messages.length })));
      return {
        places: places.map(({ topic, group, count }) => ({ topic, group, count })),
        messages: messages.map(failedView),
      };
    },
  );

  const act = async (
    action: (topic: string, group: string, options: FailedRunOptions) => Promise<Run>,
    { topic, group, ids }: z.infer<typeof FailedRun>,
  ): Promise<z.infer<typeof FailedDone>> => {
    const { done, kept } = await action(topic, group, ids === undefined ? {} : { filter: { ids } });
    groups.failedChanged();
    return { done, kept };
  };
  const described = (summary: string) => ({
    schema: { tags, summary, body: FailedRun, response: answers({ 200: FailedDone }) },
  });
  server.post('/api/failed/redrive', described('Give failed messages back to the group that failed'), ({ body }) =>
    act((...of) => operations.redrive(...of), body),
  );
  server.post('/api/failed/discard', described('Take failed messages away'), ({ body }) =>
    act((...of) => operations.discard(...of), body),
  );
}

const failedView = (failed: FailedMessage): z.infer<typeof Failed>['messages'][number] => ({
  id: failed.message.id,
  kind: failed.kind,
  topic: failed.topic,
  group: failed.group,
  type: failed.message.type,
  key: failed.message.key ?? '',
  errorCode: failed.errorCode ?? '',
  error: failed.error ?? '',
  attempts: failed.attempts ?? 0,
  lastFailed: failed.lastFailed === undefined ? null : isoTime(failed.lastFailed),
});
