import { describe, expect, it } from '@jest/globals';
import { delivery } from '../test/deliveries.ts';
import { compose, type Middleware, type SubscriptionContext } from './index.ts';

const context = { topic: 't' } as SubscriptionContext;
const handler = async (): Promise<void> => {};
const { signal } = new AbortController();

describe('compose', () => {
  it('puts the first middleware outermost and gives each the context', async () => {
    const log: string[] = [];
    const named =
      (name: string): Middleware =>
      (next, { topic }) =>
      async (one, abort) => {
        log.push(`${name} of ${topic}`);
        await next(one, abort);
      };
    await compose([named('a'), named('b')])(async () => void log.push('handler'), context)(delivery(), signal);
    expect(log).toEqual(['a of t', 'b of t', 'handler']);
  });

  it('of nothing is the handler itself', () => {
    expect(compose([])(handler, context)).toBe(handler);
  });
});
