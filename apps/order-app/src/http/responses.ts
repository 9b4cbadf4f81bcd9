import type { z } from 'zod';
import { problemType } from './problems.ts';
import { Problem } from './schemas.ts';

/** What a route answers, and that everything else is a problem. */
export const answers = (good: Readonly<Record<number, z.ZodType>>): Record<string, unknown> => ({
  ...good,
  default: { description: 'A problem (RFC 9457)', content: { [problemType]: { schema: Problem } } },
});

/** An answer that is no JSON. */
export const text = (contentType: string, description: string, schema: z.ZodType): Record<string, unknown> => ({
  200: { description, content: { [contentType]: { schema } } },
});
