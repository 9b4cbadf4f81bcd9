import { Buffer } from 'node:buffer';
import {
  createConfluentRegistry,
  createPulsarRegistry,
  createRegistryJsonCodec,
  type SchemaRegistryClient,
  type SchemaText,
} from '@bento-bus/codecs';
import { createAvroCodec } from '@bento-bus/codecs/avro';
import { startPulsar, startRegistry } from '@bento-bus/stack';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { contextOf } from './support/context.ts';
import { refusalOf } from './support/refusal.ts';

type Field = { readonly name: string; readonly type: unknown; readonly default?: unknown };

const avro = (...fields: readonly Field[]): SchemaText => ({
  format: 'AVRO',
  text: JSON.stringify({ type: 'record', name: 'OrderPlaced', namespace: 'shop', fields }),
});
const id: Field = { name: 'id', type: 'string' };
const note: Field = { name: 'note', type: ['null', 'string'], default: null };
const first = avro(id);
const second = avro(id, note);
const breaking = avro({ name: 'other', type: 'int' });

const proto: SchemaText = {
  format: 'PROTOBUF',
  text: `syntax = "proto3"; package shop;
    import "google/protobuf/timestamp.proto";
    message OrderPlaced {
      message Line { string sku = 1; }
      optional string note = 1; oneof paid { string card = 2; bool cash = 3; }
      repeated Line lines = 4; map<string, Total> totals = 5; State state = 6; google.protobuf.Timestamp at = 7;
    }
    message Total { int64 cents = 1; }
    enum State { NEW = 0; }`,
};

let count = 0;
const uniqueTopic = (): string => `orders-${process.pid}-${(count += 1)}`;

/** As the registry's own users would set it. */
async function put(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}

async function post(url: string, subject: string, body: unknown): Promise<{ readonly id: number }> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return (await (await fetch(`${url}/subjects/${subject}/versions`, init)).json()) as { id: number };
}

/** What a reader with the second schema makes of what a writer with the first one wrote. */
async function readAcross(registryOf: () => SchemaRegistryClient): Promise<unknown> {
  const [topic, type] = [uniqueTopic(), 'order.placed'];
  const writer = createAvroCodec({ schemas: { [type]: first.text }, registry: registryOf() });
  const reader = createAvroCodec({ schemas: { [type]: second.text }, registry: registryOf() });
  const { body, headers = {} } = await writer.encode({ id: 'o-1' }, contextOf(topic));
  return reader.decode(body, contextOf(topic, { headers }));
}

const framedBy = ({ prefix }: { readonly prefix: Uint8Array }, ...payload: readonly number[]): Buffer =>
  Buffer.concat([prefix, Uint8Array.from(payload)]);

describe('a registry with the API of Confluent', () => {
  let server: Awaited<ReturnType<typeof startRegistry>>;
  let registry: SchemaRegistryClient;
  beforeAll(async () => {
    server = await startRegistry();
    registry = createConfluentRegistry({ url: server.url });
  }, 120_000);
  afterAll(() => server.stop());

  const ask = async (path: string): Promise<unknown> => (await fetch(`${server.url}/${path}`)).json();
  const backward = (topic: string): Promise<void> =>
    put(`${server.url}/config/${topic}-value`, { compatibility: 'BACKWARD' });

  it('has a schema registered once, and knows it by its id', async () => {
    const topic = uniqueTopic();
    const context = contextOf(topic);
    const mark = await registry.mark(first, context);
    expect(registry.mark(first, context)).toBe(mark);
    const body = framedBy(mark, 2, 0x61);
    const writer = await registry.writerOf(body, context, 'AVRO');
    expect(writer).toEqual({ id: String(body.readUInt32BE(1)), schema: first, offset: 5 });
    expect(registry.writerOf(body, context, 'AVRO')).toBe(writer);
    // Another process that registers it again, in any notation.
    const again = createConfluentRegistry({ url: server.url });
    expect(await again.mark({ ...first }, context)).toEqual(mark);
    expect(await ask(`subjects/${topic}-value/versions`)).toEqual([1]);
    const { schema } = (await ask(`subjects/${topic}-value/versions/1`)) as { schema: string };
    expect(JSON.parse(schema)).toEqual(JSON.parse(first.text));
  });

  it('gives one id to all who register at once', async () => {
    const context = contextOf(uniqueTopic());
    const clients = Array.from({ length: 8 }, () => createConfluentRegistry({ url: server.url }));
    const marks = await Promise.all(clients.map(async (client) => client.mark(first, context)));
    for (const mark of marks) expect(mark).toEqual(marks[0]);
  });

  it('takes what is compatible, and refuses what is not with its reason', async () => {
    const topic = uniqueTopic();
    const context = contextOf(topic);
    await registry.mark(first, context);
    await backward(topic);
    expect(await registry.compatible(second, context)).toEqual({ compatible: true });
    expect(await registry.compatible(breaking, context)).toEqual({
      compatible: false,
      reason: expect.stringContaining('other at /fields/0'),
    });
    for (let time = 0; time < 2; time += 1) {
      const error = await refusalOf(() => registry.mark(breaking, context));
      expect(error).toMatchObject({ code: 'CODEC', retryable: false, codec: 'application/avro' });
      expect(error.message).toMatch(new RegExp(`"order.placed" of topic "${topic}" as Avro: .*other at /fields/0`));
    }
    const marks = [await registry.mark(first, context), await registry.mark(second, context)];
    expect(marks[0]).not.toEqual(marks[1]);
  });

  it('may be only looked at', async () => {
    const topic = uniqueTopic();
    const context = contextOf(topic);
    const looking = createConfluentRegistry({ url: server.url, register: false, negativeTtlMs: 0 });
    expect(await refusalOf(() => looking.mark(first, context))).toMatchObject({
      code: 'CODEC',
      message: expect.stringContaining(`not registered under subject "${topic}-value"`),
    });
    expect(await looking.compatible(first, context)).toEqual({ compatible: true });
    const mark = await registry.mark(first, context);
    expect(await looking.mark(first, context)).toEqual(mark);
    expect((await refusalOf(() => looking.mark(second, context))).code).toBe('CODEC');
  });

  it('names subjects by topic, by record, by both, or as it is told', async () => {
    const topic = uniqueTopic();
    const context = contextOf(topic);
    for (const subject of ['record', 'topic-record', () => `${topic}/told`] as const)
      await createConfluentRegistry({ url: server.url, subject }).mark(second, context);
    const inFile = createConfluentRegistry({ url: server.url, subject: 'topic-record' });
    await inFile.mark(proto, context, [0, 0]);
    const subjects = await ask('subjects');
    const told = ['shop.OrderPlaced', `${topic}-shop.OrderPlaced`, `${topic}/told`, `${topic}-shop.OrderPlaced.Line`];
    expect(subjects).toEqual(expect.arrayContaining(told));
    const nameless: SchemaText = { format: 'AVRO', text: '"string"' };
    expect((await refusalOf(() => inFile.mark(nameless, context))).message).toContain('has no name');
  });

  it('is told which message of a protobuf file a body holds', async () => {
    const context = contextOf(uniqueTopic());
    for (const [message, bytes] of [
      [[0], [0]],
      [[1], [2, 2]],
      [
        [0, 0],
        [4, 0, 0],
      ],
    ] as const) {
      const mark = await registry.mark(proto, context, message);
      expect([...mark.prefix.subarray(5)]).toEqual(bytes);
      const writer = await registry.writerOf(framedBy(mark, 1, 2, 3), context, 'PROTOBUF');
      expect(writer).toMatchObject({ schema: { format: 'PROTOBUF' }, offset: mark.prefix.length, message });
    }
    const mark = await registry.mark(proto, context, [0]);
    const cut = framedBy(mark).subarray(0, 5);
    expect(await refusalOf(() => registry.writerOf(cut, context, 'PROTOBUF'))).toMatchObject({ at: 'byte 5' });
    expect((await refusalOf(() => registry.writerOf(framedBy(mark), context, 'AVRO'))).message).toContain('PROTOBUF');
  });

  it('says that an id is unknown, and what it cannot read as a schema', async () => {
    const context = contextOf(uniqueTopic());
    const unknown = Uint8Array.from([0, 0x7f, 0xff, 0xff, 0xff, 1]);
    const error = await refusalOf(() => registry.writerOf(unknown, context, 'AVRO'));
    expect(error).toMatchObject({ code: 'CODEC', retryable: false, at: 'byte 1' });
    expect(error.message).toContain('no schema with id 2147483647');
    const broken: SchemaText = { format: 'AVRO', text: '{"type":"recor' };
    expect((await refusalOf(() => registry.mark(broken, context))).message).toContain('(status 422)');
  });

  it('has schemas that name others, which a reader gets whole', async () => {
    const topic = uniqueTopic();
    const line = { type: 'record', name: 'Line', namespace: 'shop', fields: [id] };
    await post(server.url, `${topic}-line`, { schema: JSON.stringify(line) });
    const fields = [
      { name: 'lines', type: { type: 'array', items: 'shop.Line' } },
      { name: 'last', type: ['null', 'Line'] },
    ];
    const { id: number } = await post(server.url, `${topic}-value`, {
      schema: JSON.stringify({ type: 'record', name: 'Order', namespace: 'shop', fields }),
      references: [{ name: 'shop.Line', subject: `${topic}-line`, version: 1 }],
    });
    const body = Uint8Array.from([0, 0, 0, 0, number]);
    const writer = await registry.writerOf(body, contextOf(topic), 'AVRO');
    expect(JSON.parse(writer?.schema.text ?? '')).toMatchObject({
      name: 'Order',
      fields: [
        { name: 'lines', type: { type: 'array', items: line } },
        { name: 'last', type: ['null', 'Line'] },
      ],
    });
  });

  it('lets a reader with another schema read Avro', async () => {
    const value = await readAcross(() => createConfluentRegistry({ url: server.url }));
    expect(value).toEqual({ id: 'o-1', note: null });
  });

  it('frames JSON, and leaves its values alone', async () => {
    const context = contextOf(uniqueTopic());
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Order', type: 'object' };
    const codec = createRegistryJsonCodec({ registry, schemas: { 'order.placed': { 1: schema } } });
    const { body } = await codec.encode({ id: 'o-1' }, context);
    expect([body[0], Buffer.from(body.subarray(5)).toString()]).toEqual([0, '{"id":"o-1"}']);
    expect(await codec.decode(body, context)).toEqual({ id: 'o-1' });
    expect((await refusalOf(() => codec.decode(Buffer.from('{"id":"o-1"}'), context))).message).toContain('byte 123');
    const missing = await refusalOf(() => codec.encode({}, { ...context, version: 2 }));
    expect(missing.message).toContain('no schema for its version 2 (there is version 1)');
  });

  it('is no reason to give a message up while it is down, and serves again when it is back', async () => {
    const context = contextOf(uniqueTopic());
    const mark = await registry.mark(first, context);
    const hasty = createConfluentRegistry({ url: server.url, timeoutMs: 400 });
    const patient = createConfluentRegistry({ url: server.url, timeoutMs: 60_000 });
    server.pause();
    try {
      const error = await refusalOf(() => hasty.writerOf(framedBy(mark), context, 'AVRO'));
      expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true });
    } finally {
      server.resume();
    }
    await server.kill();
    for (const work of [
      () => hasty.writerOf(framedBy(mark), context, 'AVRO'),
      () => hasty.mark(second, context),
      () => hasty.compatible(second, context),
    ])
      expect(await refusalOf(work)).toMatchObject({ code: 'CONNECTION', retryable: true });
    // What is known needs no registry; who has time gets an answer.
    expect(registry.mark(first, context)).toBe(mark);
    const [writer] = await Promise.all([patient.writerOf(framedBy(mark), context, 'AVRO'), server.restart()]);
    expect(writer?.schema).toEqual(first);
    expect(await hasty.mark(first, context)).toEqual(mark);
  }, 120_000);
});

describe('the registry of Pulsar', () => {
  let server: Awaited<ReturnType<typeof startPulsar>>;
  let registry: SchemaRegistryClient;
  beforeAll(async () => {
    server = await startPulsar();
    registry = createPulsarRegistry({ webUrl: server.webUrl });
  }, 180_000);
  afterAll(() => server.stop());

  const empty = new Uint8Array(0);
  const kept = async (topic: string): Promise<readonly { readonly type: string; readonly data: string }[]> => {
    const response = await fetch(`${server.webUrl}/admin/v2/schemas/public/default/${topic}/schemas`);
    return ((await response.json()) as { getSchemaResponses: [] }).getSchemaResponses;
  };

  it('has schemas uploaded once, and tells the version of a body by a header', async () => {
    const topic = uniqueTopic();
    const context = contextOf(topic);
    const mark = await registry.mark(first, context);
    expect(mark).toEqual({ prefix: empty, headers: { 'bento-schema': `public/default/${topic}/0` } });
    expect(registry.mark(first, context)).toBe(mark);
    expect((await registry.mark(second, context)).headers).toEqual({ 'bento-schema': `public/default/${topic}/1` });
    const again = createPulsarRegistry({ webUrl: server.webUrl });
    expect(await again.mark({ ...first }, contextOf(`persistent://public/default/${topic}`))).toEqual(mark);
    expect(await kept(topic)).toMatchObject([
      { type: 'AVRO', data: first.text },
      { type: 'AVRO', data: second.text },
    ]);
    // From a dead-letter topic too.
    const marked = contextOf(`${topic}-dead`, mark.headers === undefined ? {} : { headers: mark.headers });
    const writer = await registry.writerOf(empty, marked, 'AVRO');
    expect(writer).toEqual({ id: `public/default/${topic}/0`, schema: first, offset: 0 });
    expect(registry.writerOf(empty, marked, 'AVRO')).toBe(writer);
    expect(registry.writerOf(empty, context, 'AVRO')).toBeUndefined();
  });

  it('refuses what is not compatible with its reason, in one sentence', async () => {
    const context = contextOf(uniqueTopic());
    await registry.mark(first, context);
    expect(await registry.compatible(second, context)).toEqual({ compatible: true });
    const answer = await registry.compatible(breaking, context);
    expect(answer).toEqual({ compatible: false, reason: expect.stringContaining('strategy FULL') });
    const error = await refusalOf(() => registry.mark(breaking, context));
    expect(error).toMatchObject({ code: 'CODEC', retryable: false, codec: 'application/avro' });
    expect(error.message).toMatch(/strategy FULL: Unable to read schema: \{"type": "record", .*\(status 409\)/);
    expect(error.message).not.toMatch(/<|\n|org\.apache/);
  });

  it('may be only looked at', async () => {
    const context = contextOf(uniqueTopic());
    const looking = createPulsarRegistry({ webUrl: server.webUrl, register: false, negativeTtlMs: 0 });
    expect((await refusalOf(() => looking.mark(first, context))).message).toContain('does not have its schema');
    const mark = await registry.mark(first, context);
    expect(await looking.mark(first, context)).toEqual(mark);
  });

  it.each([
    ['a version that is not there', 'public/default/nobody/7', 'has no schema with version 7'],
    ['no place of a schema', '7', 'is not "tenant/namespace/topic/version"'],
    ['a way up', '../../clusters/1', 'is not "tenant/namespace/topic/version"'],
  ])('refuses a body whose header names %s', async (_, header, reason) => {
    const context = contextOf('orders', { headers: { 'bento-schema': header } });
    const error = await refusalOf(() => registry.writerOf(empty, context, 'AVRO'));
    expect(error).toMatchObject({ code: 'CODEC', at: 'header bento-schema' });
    expect(error.message).toContain(reason);
  });

  it('keeps protobuf as descriptors that Pulsar can read', async () => {
    for (const message of [[0], [1], [0, 0]]) {
      const topic = uniqueTopic();
      expect(await registry.mark(proto, contextOf(topic), message)).toEqual({ prefix: empty });
      expect(await kept(topic)).toMatchObject([{ type: 'PROTOBUF_NATIVE' }]);
    }
    expect(registry.writerOf(empty, contextOf('orders'), 'PROTOBUF')).toBeUndefined();
    const broken: SchemaText = { format: 'PROTOBUF', text: 'message A { strin' };
    expect((await refusalOf(() => registry.mark(broken, contextOf(uniqueTopic())))).code).toBe('CODEC');
  });

  it('lets a reader with another schema read Avro', async () => {
    const value = await readAcross(() => createPulsarRegistry({ webUrl: server.webUrl }));
    expect(value).toEqual({ id: 'o-1', note: null });
  });

  it('keeps JSON as Avro records, under a name for each type of a topic', async () => {
    const topic = uniqueTopic();
    const perType = createPulsarRegistry({ webUrl: server.webUrl, subject: ({ type }) => `${topic}.${type}` });
    const schemas = { 'order.placed': { 1: first.text }, 'order.paid': { 1: JSON.parse(breaking.text) as object } };
    const codec = createRegistryJsonCodec({ registry: perType, schemas });
    for (const [type, value] of [
      ['order.placed', { id: 'o-1' }],
      ['order.paid', { other: 1 }],
    ] as const) {
      const { body, headers = {} } = await codec.encode(value, contextOf(topic, { type }));
      expect(headers).toEqual({ 'bento-schema': `public/default/${topic}.${type}/0` });
      expect(await codec.decode(body, contextOf(topic, { type, headers }))).toEqual(value);
      expect(await kept(`${topic}.${type}`)).toMatchObject([{ type: 'JSON' }]);
    }
  });

  it('says what it is asked for in vain', async () => {
    const nowhere = createPulsarRegistry({ webUrl: server.webUrl, namespace: 'nowhere' });
    const error = await refusalOf(() => nowhere.mark(first, contextOf('orders')));
    expect(error).toMatchObject({ code: 'CONFIGURATION', retryable: false });
    expect(error.message).toContain('Namespace does not exist');
  });
});
