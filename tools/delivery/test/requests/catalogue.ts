import { defineRequests, type RequestDefinition } from '@bento-bus/dispatcher';
import { z } from 'zod';

export interface Ask {
  readonly from: string;
  readonly number: number;
  /** What the responder is to do. */
  readonly wish: string;
}

export interface Answer {
  readonly from: string;
  readonly number: number;
  readonly by: string;
}

/** One request on a topic of its own. */
export function numbersOn(topic: string): RequestDefinition<'number.get', Partial<Ask>, Ask, Answer, Answer> {
  const requests = defineRequests(
    { topic },
    {
      'number.get': {
        version: 1,
        schema: z.object({
          from: z.string().default('x'),
          number: z.number().default(0),
          wish: z.string().default(''),
        }),
        reply: z.object({ from: z.string(), number: z.number(), by: z.string() }),
        key: (ask) => `${ask.from}${ask.number}`,
      },
    },
  );
  return requests['number.get'] as RequestDefinition<'number.get', Partial<Ask>, Ask, Answer, Answer>;
}
