import type { CodecContext } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { contextOf } from '../../test/support/context.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import type { SchemaRegistryClient } from './client.ts';
import { createConfluentRegistry } from './confluent.ts';
import { createPulsarRegistry } from './pulsar.ts';

// Answers that a real registry gives only in trouble, or never: see test/registry.int.test.ts for those it gives.
type Fetch = typeof globalThis.fetch;
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const html = '<html><title>404 Not Found</title>nginx</html>';
const schema = { format: 'AVRO', text: '"int"' } as const;

/** Gives the answers in turn, the last one again and again. `asked`: the paths. */
function answering(...replies: readonly Reply[]): { readonly fetch: Fetch; readonly asked: string[] } {
  const asked: string[] = [];
  const fetch: Fetch = async (url) => {
    const { status, body } = replies[Math.min(asked.length, replies.length - 1)] as Reply;
    asked.push(new URL(url).pathname);
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  return { fetch, asked };
}

describe('the registry of Pulsar', () => {
  const webUrl = 'http://broker:8080';
  const context = contextOf('orders', { headers: { 'bento-schema': 'public/default/orders/0' } });
  const read = (registry: SchemaRegistryClient): unknown => registry.writerOf(new Uint8Array(0), context, 'AVRO');

  it.each([
    [404, { reason: 'Schema not found' }, 'has no schema with version 0'],
    [412, { reason: 'Topic name is not valid' }, 'has no schema with version 0'],
  ])('says that there is no schema by status %i with %j', async (status, body, problem) => {
    const { fetch, asked } = answering({ status, body });
    const registry = createPulsarRegistry({ webUrl, fetch });
    for (let i = 0; i < 2; i += 1) {
      const error = await refusalOf(() => read(registry));
      expect(error).toMatchObject({ code: 'CODEC', retryable: false });
      expect(error.message).toContain(problem);
    }
    expect(asked).toHaveLength(1);
  });

  it.each([[html], [{ reason: 'Namespace not found' }], ['']])(
    'is not what answers a read with 404 and %j, which is not believed for long',
    async (body) => {
      const found = { status: 200, body: { type: 'AVRO', data: '"int"' } };
      const registry = createPulsarRegistry({ webUrl, fetch: answering({ status: 404, body }, found).fetch });
      expect(await refusalOf(() => read(registry))).toMatchObject({ code: 'CONFIGURATION' });
      expect(await read(registry)).toEqual({ id: 'public/default/orders/0', schema, offset: 0 });
    },
  );

  it('is asked again while a namespace moves', async () => {
    const moving = { status: 412, body: { reason: 'Namespace bundle is being unloaded' } };
    const { fetch, asked } = answering(moving, moving, { status: 200, body: { version: { version: 3 } } });
    const mark = await createPulsarRegistry({ webUrl, fetch }).mark(schema, context);
    expect(mark.headers).toEqual({ 'bento-schema': 'public/default/orders/3' });
    expect(asked).toHaveLength(3);
    const never = createPulsarRegistry({ webUrl, fetch: answering(moving).fetch, timeoutMs: 200 });
    expect(await refusalOf(() => never.mark(schema, context))).toMatchObject({ code: 'CONNECTION', retryable: true });
  });

  it('is asked again when another one was faster, if the schema fits', async () => {
    const raced = { status: 409, body: { reason: 'Concurrent modification' } };
    const fits = { status: 200, body: { compatibility: true } };
    const { fetch, asked } = answering(raced, fits, { status: 200, body: { version: { version: 3 } } });
    const mark = await createPulsarRegistry({ webUrl, fetch }).mark(schema, context);
    expect(mark.headers).toEqual({ 'bento-schema': 'public/default/orders/3' });
    const base = '/admin/v2/schemas/public/default/orders';
    expect(asked).toEqual([`${base}/schema`, `${base}/compatibility`, `${base}/schema`]);
    const breaks = answering(raced, { status: 200, body: { compatibility: false } });
    const error = await refusalOf(() => createPulsarRegistry({ webUrl, fetch: breaks.fetch }).mark(schema, context));
    expect(error).toMatchObject({ code: 'CODEC', retryable: false });
    expect(breaks.asked).toHaveLength(2);
  });

  it('needs no second question for what it calls incompatible', async () => {
    const { fetch, asked } = answering({
      status: 409,
      body: { reason: 'Incompatible schema: IncompatibleSchemaException' },
    });
    const error = await refusalOf(() => createPulsarRegistry({ webUrl, fetch }).mark(schema, context));
    expect(error).toMatchObject({ code: 'CODEC', retryable: false });
    expect(asked).toHaveLength(1);
  });
});

const readSeven = (registry: SchemaRegistryClient): unknown =>
  registry.writerOf(Uint8Array.of(0, 0, 0, 0, 7), contextOf('orders'), 'AVRO');

const reference = (i: number): object => ({ name: `N${i}`, subject: `n${i}`, version: 1 });

describe('a registry of Confluent', () => {
  const url = 'http://registry:8081';
  const of = (body: unknown, more: object = {}): SchemaRegistryClient =>
    createConfluentRegistry({ url, fetch: answering({ status: 200, body }).fetch, timeoutMs: 200, ...more });

  it('refuses a body whose schema is of a type that no codec has', async () => {
    const error = await refusalOf(() => readSeven(of({ schema: 'x', schemaType: 'CSV' })));
    expect(error).toMatchObject({ code: 'CODEC', retryable: false, at: 'byte 1' });
    expect(error.message).toContain('of the type "CSV"');
  });

  it('refuses a body whose schema needs too many others', async () => {
    const references = Array.from({ length: 101 }, (_, i) => reference(i));
    const error = await refusalOf(() => readSeven(of({ schema: '"int"', references })));
    expect(error).toMatchObject({ code: 'CODEC', retryable: false });
    expect(error.message).toContain('more than 100 others');
    let next = 0;
    const fetch: Fetch = async () =>
      new Response(JSON.stringify({ schema: '"int"', references: [reference((next += 1))] }));
    const chain = createConfluentRegistry({ url, fetch });
    expect((await refusalOf(() => readSeven(chain))).message).toContain('more than 100 others');
  });

  it.each([
    [[null]],
    [['A']],
    [[{ name: 'A' }]],
    [[{ name: 'A', subject: 'a' }]],
    [[{ name: 'A', subject: '\ud800', version: 1 }]],
  ])('with the references %j is none', async (references) => {
    const error = await refusalOf(() => readSeven(of({ schema: '"int"', references })));
    expect(error).toMatchObject({ code: 'CONNECTION', retryable: true });
  });

  it.each([-1, 1.5, 2 ** 31, '7', null])('with the id %j is none', async (id) => {
    const error = await refusalOf(() => of({ id }).mark(schema, contextOf('orders')));
    expect(error).toMatchObject({ code: 'CONNECTION', retryable: true });
  });

  it.each<[string, CodecContext, object]>([
    ['the topic', contextOf('\ud800'), {}],
    ['a name of its own', contextOf('orders'), { subject: () => 'x\udc00' }],
    ['nothing', contextOf('orders'), { subject: () => undefined }],
  ])('has no subject for %s, which no URL can carry', async (_, context, options) => {
    const registry = of({ id: 1 }, options);
    for (const ask of [() => registry.mark(schema, context), () => registry.compatible(schema, context)])
      expect(await refusalOf(ask)).toMatchObject({ code: 'CODEC', retryable: false });
  });
});
