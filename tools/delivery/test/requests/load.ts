import type { RequestBus, RequestDefinition } from '@bento-bus/dispatcher';
import type { Answer, Ask } from './catalogue.ts';

/** What became of a requester's requests. */
export interface Load {
  readonly replies: Answer[];
  readonly errors: unknown[];
  /** Until `count` requests have ended, or for ever. */
  readonly ended: Promise<void>;
}

/** Asks `count` times, 16 at a time, under its name. */
export function askMany(
  bus: RequestBus,
  definition: RequestDefinition<'number.get', Partial<Ask>, Ask, Answer, Answer>,
  from: string,
  count: number,
): Load {
  const replies: Answer[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const number = next;
      next += 1;
      try {
        const reply = await bus.request(definition, { from, number });
        if (reply.from !== from || reply.number !== number)
          throw new Error(`the reply to another request: ${reply.from}`);
        replies.push(reply);
      } catch (error) {
        errors.push(error);
        // One that is closed will not get better.
        if ((error as { code?: string }).code === 'CLOSED') return;
      }
    }
  };
  const ended = Promise.all(Array.from({ length: 16 }, work)).then(() => undefined);
  return { replies, errors, ended };
}
