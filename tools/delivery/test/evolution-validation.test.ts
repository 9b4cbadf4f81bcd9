// The schemas of the catalogue at publish and consume, with every codec: what is refused is named down to the field.
import { eventually } from '@bento-bus/conformance';
import { type CodecError, createMessageBus, defineEvents, type Middleware, ValidationError } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { catalogue1, catalogue2, codecNames, codecOf, issued1, issued2 } from './evolution/catalogues.ts';
import { useBackend } from './support/backends.ts';

/** One field of the second line is wrong, and the customer's country. */
const wrong = {
  ...issued2('i-1'),
  customer: { name: 'Ünal', country: 'Turkey' },
  lines: [
    { sku: 'a', price: '10' },
    { sku: 'b', price: 'cheap' },
  ],
};
/** What another publisher of version 2 lets pass. */
const Loose = z.object({
  invoiceId: z.string(),
  customer: z.object({ name: z.string(), country: z.string() }),
  lines: z.array(z.object({ sku: z.string(), price: z.string() })),
  dueAt: z.int(),
});
const Strict = Loose.extend({
  customer: z.object({ name: z.string(), country: z.string().length(2, 'two letters') }),
  lines: z.array(z.object({ sku: z.string(), price: z.string().regex(/^\d+(\.\d+)?$/, 'no decimal') })),
});
const catalogueOf = (topic: string, schema: typeof Loose) =>
  defineEvents(
    { topic },
    { 'invoice.issued': { version: 2, schema, upcast: catalogue2(topic)['invoice.issued'].upcast } },
  );
const issues = [
  { path: 'customer.country', message: 'two letters' },
  { path: 'lines.1.price', message: 'no decimal' },
];

async function refusalOf(act: () => Promise<void>): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

describe.each(codecNames)('with the codec %s', (codec) => {
  const backend = useBackend('inprocess');

  it('a publisher is told which nested fields its schema refuses, and nothing is sent', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const bus = createMessageBus({ transport, codec: codecOf(codec, 2), source: '/test' });
    const found: unknown[] = [];
    const seen = { group: 'all', startPosition: 'earliest' } as const;
    await transport.subscribe([topic], async ({ message }) => void found.push(message.type), seen);
    const strict = catalogueOf(topic, Strict)['invoice.issued'];
    const error = await refusalOf(() => bus.publish(strict, wrong));
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues).toEqual(issues);
    expect((error as Error).message).toBe(
      'core: cannot publish "invoice.issued": customer.country: two letters; lines.1.price: no decimal. Correct the data.',
    );
    await bus.publish(strict, issued2('i-1'));
    await eventually(() => found.length > 0, { what: 'what was right', deadlineMs: 10_000 });
    expect(found).toEqual(['invoice.issued']);
  });

  it('a consumer is told which nested fields its schema refuses, also after an upcast', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const errors: unknown[] = [];
    const catching: Middleware = (next) => async (delivery, signal) => {
      try {
        await next(delivery, signal);
      } catch (error) {
        errors.push(error);
      }
    };
    const bus = createMessageBus({ transport, codec: codecOf(codec, 2), source: '/test', use: [catching] });
    const handled: unknown[] = [];
    await bus.subscribe(
      [catalogueOf(topic, Strict)['invoice.issued']],
      async ({ data }) => void handled.push(data.invoiceId),
      { group: 'accounts' },
    );
    await bus.publish(catalogueOf(topic, Loose)['invoice.issued'], wrong);
    // Its upcast makes a country of "?".
    const old = createMessageBus({ transport, codec: codecOf(codec, 1), source: '/test' });
    await old.publish(catalogue1(topic)['invoice.issued'], issued1('i-1'));
    await bus.publish(catalogueOf(topic, Loose)['invoice.issued'], issued2('i-2'));
    await eventually(() => handled.length > 0 && errors.length > 1, { what: 'all three', deadlineMs: 10_000 });
    expect(handled).toEqual(['i-2']);
    expect(errors).toMatchObject([
      { code: 'VALIDATION', retryable: false, issues },
      { code: 'VALIDATION', retryable: false, issues: [{ path: 'customer.country', message: 'two letters' }] },
    ]);
  });
});

describe.each([
  ['json', Number.NaN, 'application/json'],
  ['avro', 2.5, 'application/avro'],
  ['protobuf', 2.5, 'application/protobuf'],
] as const)('without a schema of the catalogue, the codec %s', (codec, price, contentType) => {
  const backend = useBackend('inprocess');

  it('names the nested field that it cannot write', async () => {
    const bus = createMessageBus({ transport: await backend.open(), codec: codecOf(codec, 2), source: '/test' });
    const { lines, ...rest } = issued2('i-1');
    const data = { ...rest, lines: [lines[0], { ...lines[1], price }] };
    const error = await refusalOf(() => bus.publish(backend.topic(), data, { type: 'invoice.issued', version: 2 }));
    expect(error).toMatchObject({ code: 'CODEC', codec: contentType, at: '$.lines[1].price', retryable: false });
    expect((error as CodecError).message).toContain('"invoice.issued"');
  });
});
