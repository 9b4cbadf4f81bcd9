// The shop over HTTP on each broker: a notification that fails becomes a dead letter and is given back, in one trace.
import { randomBytes } from 'node:crypto';
import { startKafka, startPulsar } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OrderAppConfig } from '../src/config.ts';
import { Stream } from './http-client.ts';
import { eventually, Shops, someLines, type TestShop } from './http-shops.ts';
import { type Recording, startRecording, wayOf } from './spans.ts';

const shops = new Shops();
const stops: (() => Promise<void>)[] = [];
let recording: Recording;
beforeAll(() => {
  recording = startRecording();
});
afterAll(async () => {
  await shops.close();
  for (const stop of stops.toReversed()) await stop();
  recording.stop();
});

const backends: readonly { readonly name: string; readonly begin: () => Promise<Partial<OrderAppConfig>> }[] = [
  {
    name: 'kafka',
    begin: async () => {
      const server = await startKafka();
      stops.push(() => server.stop());
      const { brokers } = server;
      return { messageBusType: 'kafka', kafkaBrokers: brokers.split(',') };
    },
  },
  {
    name: 'pulsar',
    begin: async () => {
      const server = await startPulsar();
      stops.push(() => server.stop());
      const { serviceUrl, webUrl } = server;
      return {
        messageBusType: 'pulsar',
        pulsarDriver: 'websocket',
        pulsarServiceUrl: serviceUrl,
        pulsarWebUrl: webUrl,
      };
    },
  },
];
const place = { topic: 'orders', group: 'shipping-notifications' };

/** Begins a trace, as a client that is traced itself does. */
const newTrace = () => {
  const [traceId, root] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, root, headers: { traceparent: `00-${traceId}-${root}-01` } };
};

describe.each(backends)('on $name', ({ name, begin }) => {
  let shop: TestShop;
  beforeAll(async () => {
    shop = await shops.serve(await begin(), { notificationDelays: [100] });
  });
  afterAll(async () => {
    await shop.close();
    await stops.pop()?.();
  });

  it('one trace leads from the request to the projection, the dead letter and the second chance', async () => {
    const { client, outage } = shop;
    const stream = await Stream.open(shop.url);
    await client.post('/api/orders', { orderId: 'o1', country: 'France', lines: someLines });
    await client.post('/api/orders/o1/pay');
    outage.isAway = true;
    const { traceId, root, headers } = newTrace();
    const { status, json } = await client.post('/api/orders/o1/ship', { tracking: 'T' }, headers);
    expect({ status, json }).toMatchObject({ status: 200, json: { status: 'shipped', tracking: 'T' } });

    await eventually('it is a dead letter', async () => (await client.get('/api/failed')).json.messages.length === 1);
    const { places, messages } = (await client.get('/api/failed')).json;
    expect(places).toEqual([{ ...place, count: 1 }]);
    expect(messages).toMatchObject([
      { ...place, kind: 'dead-letter', key: 'o1', error: 'the mail server is away', attempts: 4 },
    ]);
    await eventually('it is told', () => stream.of('failed').at(-1)?.data.count === 1);
    outage.isAway = false;
    expect((await client.post('/api/failed/redrive', place)).json).toEqual({ done: 1, kept: 0 });
    await eventually('the customer is told', () => outage.told.length === 1);
    await eventually('none is left', async () => (await client.get('/api/failed')).json.messages.length === 0);

    const processed = (topic: string, group: string) =>
      recording
        .of(traceId)
        .filter(
          (span) =>
            span.name === `process ${topic}` &&
            [
              span.attributes['messaging.consumer.group.name'],
              span.attributes['messaging.destination.subscription.name'],
            ].includes(group),
        );
    const retries = `orders-${place.group}-RETRY`;
    await eventually(
      'all spans have ended',
      () => processed(retries, place.group).length === 2 && processed('orders', 'read-models').length === 1,
    );
    const spans = recording.of(traceId);
    const way = (span: (typeof spans)[number] | undefined): string[] =>
      span === undefined ? [] : wayOf(span, spans, root);
    // Every span of the trace leads up to the request.
    for (const span of spans) expect(way(span).at(-1)).toBe('POST /api/orders/:id/ship');
    const request = spans.find((span) => span.name === 'POST /api/orders/:id/ship');
    expect(request).toMatchObject({ kind: 1, attributes: { 'http.response.status_code': 200 }, status: { code: 0 } });
    const published = ['append order', 'execute ShipOrder', 'POST /api/orders/:id/ship'];
    expect(way(processed('orders', 'read-models')[0]).slice(-3)).toEqual(published);
    const tries = processed('orders', place.group);
    expect(tries.map(({ status: { code } }) => code)).toEqual([2, 2, expect.any(Number)]);
    expect(way(tries[0]).slice(-3)).toEqual(published);
    const [delayed, redriven] = processed(retries, place.group);
    expect(way(delayed)).toEqual(expect.arrayContaining([`send ${retries}`, ...published]));
    expect(way(redriven)).toEqual(expect.arrayContaining([`send ${retries}`, ...published]));
    expect(spans.map((span) => span.name)).toContain(`send orders-${place.group}-DLQ`);
    expect(redriven?.status.code).toBe(0);

    const { steps } = (await client.get('/api/orders/o1/trace')).json;
    const kinds = steps
      .filter((step: { name: string; traceId?: string }) => step.name === 'order.shipped' && step.traceId === traceId)
      .map(({ kind, outcome }: Record<string, string>) => `${kind} ${outcome}`);
    expect(kinds).toEqual(
      expect.arrayContaining([
        'append ok',
        'publish ok',
        'process failed',
        'retry ok',
        'dead-letter ok',
        'redrive ok',
        'process ok',
      ]),
    );
    stream.close();
  });

  it('is ready, and knows how far its groups are', async () => {
    const { client } = shop;
    await eventually('nothing is left', async () => {
      const { groups, backend } = (await client.get('/api/groups')).json;
      expect(backend).toBe(name);
      return groups.every(
        ({ lag, members, state }: Record<string, unknown>) => lag === 0 && members !== 0 && state === 'ok',
      );
    });
    const { status, json } = await client.get('/health/ready');
    expect({ status, json }).toMatchObject({ status: 200, json: { status: 'ok' } });
  });
});
