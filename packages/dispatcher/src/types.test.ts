import type { BusEvent, MessageBus } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { orderEvents } from '../test/rig.ts';
import { createDispatcher, defineRequests, type ReplyOf, type RequestBus, respond } from './index.ts';

/** Compiles only where both types are the same. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the known way to ask whether two types are the same
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(..._proof: Same<A, B> extends true ? [] : ['the types differ']): void => {};

const prices = defineRequests(
  { topic: 'prices' },
  {
    'price.get': {
      version: 1,
      schema: z.object({ sku: z.string(), quantity: z.coerce.number().default(1) }),
      reply: z.object({ price: z.coerce.number() }),
      key: (request) => request.sku,
    },
    'price.list': { version: 1, schema: z.object({}), reply: z.array(z.string()), topic: 'lists' },
  },
);
const get = prices['price.get'];

/** Checked by the compiler (`tsc -b` includes the tests): each expected error that does not come is an error itself. */
async function thingsThatDoNotCompile(bus: RequestBus, plain: MessageBus): Promise<void> {
  // Input goes out, output comes back.
  const reply = await bus.request(get, { sku: 'a', quantity: '2' });
  same<typeof reply, { price: number }>();
  same<Awaited<ReturnType<typeof bus.request<object, string[]>>>, string[]>();
  // @ts-expect-error -- a field is missing
  await bus.request(get, {});
  // @ts-expect-error -- a field too many
  await bus.request(get, { sku: 'a', color: 'red' });
  // @ts-expect-error -- an event has no reply
  await bus.request(orderEvents['order.shipped'], { orderId: 'o' });
  // @ts-expect-error -- a bus that cannot ask
  await plain.request(get, { sku: 'a' });

  await respond(
    plain,
    get,
    (event, context) => {
      same<typeof event.data, { sku: string; quantity: number }>();
      same<typeof context.topic, string>();
      return { price: '1' };
    },
    { group: 'g' },
  );
  // @ts-expect-error -- no reply of this request
  await respond(plain, get, () => ({ cost: 1 }), { group: 'g' });
  // @ts-expect-error -- a reply is needed
  await respond(plain, get, () => {}, { group: 'g' });

  createDispatcher()
    .on(orderEvents['order.placed'], (event) =>
      same<typeof event, BusEvent<'order.placed', { orderId: string; total: number }>>(),
    )
    .onBatch(orderEvents['order.shipped'], (batch) => {
      for (const { event } of batch) same<typeof event, BusEvent<'order.shipped', { orderId: string }>>();
    })
    .respond(get, async ({ data }) => ({ price: data.quantity }))
    // @ts-expect-error -- no reply of this request
    .respond(prices['price.list'], () => [1]);
  // @ts-expect-error -- a reply's schema is needed
  defineRequests({ topic: 't' }, { a: { version: 1, schema: z.string() } });
  // @ts-expect-error -- the key is made of the request's output
  defineRequests({ topic: 't' }, { a: { version: 1, schema: z.number(), reply: z.string(), key: (data) => data } });
}

describe('types of requests', () => {
  it('come from the schemas of request and reply', () => {
    same<ReplyOf<typeof get>, { price: number }>();
    expect(prices).toMatchObject({
      'price.get': { type: 'price.get', topic: 'prices', version: 1 },
      'price.list': { topic: 'lists' },
    });
    expect(get.key?.({ sku: 'a', quantity: 1 })).toBe('a');
    expect(thingsThatDoNotCompile).toBeInstanceOf(Function);
  });

  it('are checked for callers without types too', () => {
    const given = { a: { version: 1, schema: z.string(), reply: {} } } as never;
    expect(() => defineRequests({ topic: 't' }, given)).toThrow(/a: reply must be a Standard Schema/);
  });
});
