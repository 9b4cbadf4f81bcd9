import {
  createConfluentRegistry,
  createPulsarRegistry,
  createRegistryJsonCodec,
  type SchemaRegistry,
  type SchemaRegistryClient,
} from '@bento-bus/codecs';
import { createAvroCodec } from '@bento-bus/codecs/avro';
import { createProtobufCodec } from '@bento-bus/codecs/protobuf';
import { eventually, uniqueName } from '@bento-bus/conformance';
import { type Codec, createMessageBus, defineEvents, type Middleware, type Transport } from '@bento-bus/core';
import { plain } from '@bento-bus/core/adapter';
import { createKafkaTransport } from '@bento-bus/kafka-adapter';
import { createPulsarTransport } from '@bento-bus/pulsar-adapter';
import { startKafka, startPulsar, startRegistry } from '@bento-bus/stack';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { pythonWith, runPython } from './support/python.ts';

const python = await pythonWith([
  'confluent-kafka[avro,json,protobuf]==2.16.1',
  'pulsar-client[avro]==3.13.0',
  'protobuf==7.36.2',
]);
const missing = 'missing' in python ? ` (SKIPPED: ${python.missing})` : '';
const describeWithPython = missing === '' ? describe : describe.skip;

const OrderPlaced = z.object({ id: z.string(), total: z.number(), note: z.string().nullish() });
type Order = z.infer<typeof OrderPlaced>;

const avro = {
  type: 'record',
  name: 'OrderPlaced',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'total', type: 'int' },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
};
const jsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'OrderPlaced',
  type: 'object',
  properties: { id: { type: 'string' }, total: { type: 'integer' }, note: { type: ['string', 'null'] } },
  required: ['id', 'total'],
};

/** The message is not the first of its file: its index path is [1]. */
const proto = {
  text: `syntax = "proto3"; package shop;
    message Other { string x = 1; }
    message OrderPlaced { string id = 1; int32 total = 2; optional string note = 3; }`,
  python: [
    'shop',
    [
      ['Other', [['x', 1, 'STRING']]],
      [
        'OrderPlaced',
        [
          ['id', 1, 'STRING'],
          ['total', 2, 'INT32'],
          ['note', 3, 'STRING'],
        ],
      ],
    ],
    'OrderPlaced',
  ],
};

const ours: readonly Order[] = [
  { id: 'o-1', total: 3, note: null },
  { id: 'ö-2', total: -70_000, note: 'gift' },
];

const avroCodec = (registry: SchemaRegistry): Codec => createAvroCodec({ schemas: { 'order.placed': avro }, registry });

const protobufCodec = (registry: SchemaRegistry): Codec =>
  createProtobufCodec({ types: { 'order.placed': { proto: proto.text, message: 'shop.OrderPlaced' } }, registry });

/** Protobuf leaves out what is not there, where the others say null; of two keys either may come first. */
const noted = (orders: readonly Order[]): readonly Order[] =>
  orders.map(({ id, total, note = null }) => ({ id, total, note })).toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** Topics of others: their messages have neither type nor id. */
const format = plain({ typeOf: 'order.placed' });

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function busOf(transport: Transport, codec: Codec) {
  const bus = createMessageBus({ transport, codec, source: '/interop' });
  opened.push(bus, transport);
  return bus;
}

const eventsOn = (topic: string) =>
  defineEvents({ topic }, { 'order.placed': { version: 1, schema: OrderPlaced, key: ({ id }) => id } })['order.placed'];

/** Writes the orders with our bus. */
async function publish(transport: Transport, codec: Codec, topic: string): Promise<void> {
  const bus = busOf(transport, codec);
  const definition = eventsOn(topic);
  for (const order of ours) await bus.publish(definition, order);
}

/** What our bus reads of what `write` writes: as many orders as ours. */
async function received(
  transport: Transport,
  codec: Codec,
  topic: string,
  write: () => Promise<unknown>,
): Promise<readonly Order[]> {
  const bus = busOf(transport, codec);
  const orders: Order[] = [];
  const handler = async ({ data }: { readonly data: Order }): Promise<void> => void orders.push(data);
  // First, since it makes the topic.
  await bus.subscribe([eventsOn(topic)], handler, { group: 'ours', startPosition: 'earliest' });
  expect(await write()).toBe(ours.length);
  await eventually(() => orders.length >= ours.length, { deadlineMs: 60_000, what: 'reading the orders of Python' });
  return orders;
}

/** Python reads what our bus writes, and our bus what Python writes, in each format. */
function bothWays<K extends { readonly format: string; readonly codecOf: () => Codec }>(
  kinds: readonly K[],
  {
    program,
    open,
    task,
  }: { readonly program: string; readonly open: () => Transport; readonly task: (topic: string, kind: K) => object },
): void {
  const cases = kinds.map((kind) => [kind.format, kind] as const);
  it.each(cases)(
    'reads our %s',
    async (_, kind) => {
      const topic = uniqueName('interop');
      await publish(open(), kind.codecOf(), topic);
      const values = await runPython(python, program, { ...task(topic, kind), action: 'consume', count: 2 });
      expect(noted(values as readonly Order[])).toEqual(ours);
    },
    120_000,
  );
  it.each(cases)(
    'writes %s that we read',
    async (_, kind) => {
      const topic = uniqueName('interop');
      const write = (): Promise<unknown> =>
        runPython(python, program, { ...task(topic, kind), action: 'produce', values: ours });
      expect(noted(await received(open(), kind.codecOf(), topic, write))).toEqual(ours);
    },
    120_000,
  );
}

describe('a registry with the API of Confluent, on Kafka', () => {
  let kafka: Awaited<ReturnType<typeof startKafka>>;
  let server: Awaited<ReturnType<typeof startRegistry>>;
  let registry: SchemaRegistryClient;
  beforeAll(async () => {
    kafka = await startKafka();
    server = await startRegistry();
    registry = createConfluentRegistry({ url: server.url });
  }, 180_000);
  afterAll(async () => {
    await Promise.all([kafka.stop(), server.stop()]);
  });

  const kinds = [
    {
      format: 'JSON',
      schema: jsonSchema,
      codecOf: () => createRegistryJsonCodec({ registry, schemas: { 'order.placed': { 1: jsonSchema } } }),
    },
    { format: 'AVRO', schema: avro, codecOf: () => avroCodec(registry) },
    {
      format: 'PROTOBUF',
      schema: proto.python,
      codecOf: () => protobufCodec(registry),
    },
  ] as const;
  const task = (topic: string, kind: { readonly format: string; readonly schema: object }) => ({
    brokers: kafka.brokers,
    registry: server.url,
    topic,
    format: kind.format,
    schema: kind.schema,
  });
  const open = (): Transport => createKafkaTransport({ brokers: [kafka.brokers], format, partitions: 1 });

  describeWithPython(`and Confluent's Python client${missing}`, () => {
    bothWays(kinds, { program: 'confluent.py', open, task });

    it('writes an older schema than ours, which we read as ours', async () => {
      const topic = uniqueName('interop');
      const older = { ...avro, fields: avro.fields.slice(0, 2) };
      const values = ours.map(({ id, total }) => ({ id, total }));
      const write = (): Promise<unknown> =>
        runPython(python, 'confluent.py', {
          ...task(topic, { format: 'AVRO', schema: older }),
          action: 'produce',
          values,
        });
      const orders = await received(open(), avroCodec(registry), topic, write);
      expect(orders.map(({ note }) => note)).toEqual([null, null]);
    }, 120_000);
  });

  it('does without the registry for a while, and loses no message by that', async () => {
    const topic = uniqueName('interop');
    await publish(open(), avroCodec(registry), topic);
    await server.kill();
    const fresh = createConfluentRegistry({ url: server.url, timeoutMs: 300 });
    const codec = avroCodec(fresh);
    const [orders, failures]: [Order[], unknown[]] = [[], []];
    const look: Middleware = (next) => async (delivery, signal) => {
      await Promise.resolve(next(delivery, signal)).catch((error: unknown) => {
        failures.push(error);
        throw error;
      });
    };
    const transport = open();
    const bus = createMessageBus({ transport, codec, source: '/interop', use: [look] });
    opened.push(bus, transport);
    const handler = async ({ data }: { readonly data: Order }): Promise<void> => void orders.push(data);
    await bus.subscribe([eventsOn(topic)], handler, { group: 'ours', startPosition: 'earliest' });
    await eventually(() => failures.length > 0, { deadlineMs: 60_000, what: 'a failure without the registry' });
    expect(failures[0]).toMatchObject({ code: 'CONNECTION', retryable: true });
    await server.restart();
    await eventually(() => orders.length >= ours.length, { deadlineMs: 60_000, what: 'reading with the registry' });
    expect(noted(orders)).toEqual(ours);
  }, 120_000);
});

describeWithPython(`Pulsar's Python client, with Pulsar's own registry${missing}`, () => {
  let pulsar: Awaited<ReturnType<typeof startPulsar>>;
  let registry: SchemaRegistryClient;
  beforeAll(async () => {
    pulsar = await startPulsar();
    registry = createPulsarRegistry({ webUrl: pulsar.webUrl });
  }, 180_000);
  afterAll(() => pulsar.stop());

  const kinds = [
    {
      format: 'JSON',
      codecOf: () => createRegistryJsonCodec({ registry, schemas: { 'order.placed': { 1: avro } } }),
    },
    { format: 'AVRO', codecOf: () => avroCodec(registry) },
  ] as const;
  const task = (topic: string, kind: { readonly format: string }) => ({
    serviceUrl: pulsar.serviceUrl,
    topic,
    format: kind.format,
    schema: avro,
  });
  const open = (): Transport => {
    const { serviceUrl, webUrl } = pulsar;
    return createPulsarTransport({ serviceUrl, webUrl, driver: 'websocket', format, partitions: 1 });
  };

  bothWays(kinds, { program: 'pulsar_client.py', open, task });
});
