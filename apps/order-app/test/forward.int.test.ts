// The forwarder from the in-process event bus to each broker: what it does in process is shown beside it, in packages/inprocess-bus.
import { createJsonCodec } from '@bento-bus/codecs';
import { createMessageBus, defineEvents, type Transport } from '@bento-bus/core';
import { createEventBus, forward } from '@bento-bus/inprocess-bus';
import { createKafkaTransport } from '@bento-bus/kafka-adapter';
import { createPulsarTransport } from '@bento-bus/pulsar-adapter';
import { startKafka, startPulsar } from '@bento-bus/stack';
import { afterAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { until } from './cli.ts';

const Order = z.object({ orderId: z.string() });
const key = ({ orderId }: { readonly orderId: string }): string => orderId;
const events = defineEvents(
  { topic: 'forwarded-orders' },
  { 'order.placed': { version: 1, schema: Order, key }, 'order.paid': { version: 1, schema: Order, key } },
);
const { 'order.placed': placed, 'order.paid': paid } = events;

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

const backends: readonly { readonly name: string; readonly connect: () => Promise<Transport> }[] = [
  {
    name: 'kafka',
    connect: async () => {
      const server = await startKafka();
      stops.push(() => server.stop());
      return createKafkaTransport({ brokers: server.brokers, partitions: 4 });
    },
  },
  {
    name: 'pulsar',
    connect: async () => {
      const server = await startPulsar();
      stops.push(() => server.stop());
      const { serviceUrl, webUrl } = server;
      return createPulsarTransport({ driver: 'websocket', serviceUrl, webUrl });
    },
  },
];

describe.each(backends)('forwarding to $name', ({ connect }) => {
  it('stores each event before its publish resolves, keeps the order of a key, and tells when it cannot', async () => {
    const transport = await connect();
    const bus = createMessageBus({ transport, codec: createJsonCodec(), source: '/test' });
    const local = createEventBus();
    const seen: string[] = [];
    const record = ({ type, data }: { readonly type: string; readonly data: { readonly orderId: string } }): void =>
      void seen.push(`${data.orderId} ${type}`);
    await bus.subscribe([placed, paid], record, { group: 'forwarded', concurrency: 8 });
    forward(local, bus, [placed, paid]);
    const orders = Array.from({ length: 20 }, (_, index) => `o-${index}`);
    await Promise.all(
      orders.flatMap((orderId) => [placed, paid].map(async (definition) => local.publish(definition, { orderId }))),
    );
    await until('all are handled', () => seen.length >= 40, 60_000);
    expect(seen.toSorted()).toEqual(
      orders.flatMap((orderId) => [`${orderId} order.paid`, `${orderId} order.placed`]).toSorted(),
    );
    for (const orderId of orders)
      expect(seen.indexOf(`${orderId} order.placed`)).toBeLessThan(seen.indexOf(`${orderId} order.paid`));
    await transport.close();
    await expect(local.publish(placed, { orderId: 'late' })).rejects.toMatchObject({
      code: 'HANDLER',
      cause: expect.objectContaining({ code: 'CLOSED' }),
    });
  });
});
