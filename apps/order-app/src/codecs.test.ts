import { createJsonCodec } from '@bento-bus/codecs';
import { type Codec, type CodecContext, headerNames } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { codecNames } from './codec-names.ts';
import { createMessageCodec } from './codecs.ts';
import { creditNoteEvents, orderEvents } from './domain/events.ts';

const line = { sku: '85123A', description: 'WHITE "HEART" T-LIGHT é', quantity: 6, unitPrice: '2.55' };
const order = { orderId: '536365', customerId: '', country: 'United Kingdom' };
/** One of each type, with the extremes that the domain allows. */
const data: Readonly<Record<string, object>> = {
  'order.placed': {
    ...order,
    placedAt: 1_291_191_960_000,
    lines: [line, { ...line, quantity: 4_503_599_627_370_495, unitPrice: '0.0000000001' }],
  },
  'order.paid': { orderId: '1', amount: '139.12' },
  'order.shipped': { ...order, tracking: '' },
  'order.cancelled': { orderId: '1', reason: 'too late' },
  'order.refunded': { orderId: '1', amount: '99999999999999999999.99' },
  'credit-note.recorded': {
    creditNoteId: 'C536379',
    customerId: '14527',
    country: 'EIRE',
    issuedAt: -1,
    lines: [{ ...line, quantity: -4_503_599_627_370_495 }],
  },
};

const definitions = [...Object.values(orderEvents), ...Object.values(creditNoteEvents)];

const contextOf = (type: string, { contentType }: Codec): CodecContext => ({
  topic: 'orders',
  type,
  version: 1,
  headers: { [headerNames.contentType]: contentType },
});

describe.each(codecNames)('the codec of MESSAGE_CODEC=%s', (name) => {
  it('carries every event of the catalogues whole', async () => {
    const codec = await createMessageCodec(name);
    for (const { type } of definitions) {
      const { body } = await codec.encode(data[type], contextOf(type, codec));
      const decoded = await codec.decode(body, contextOf(type, codec));
      expect({ [type]: decoded }).toEqual({ [type]: data[type] });
    }
  });

  it('reads what was written with another setting', async () => {
    const codec = await createMessageCodec(name);
    for (const other of codecNames) {
      const writer = await createMessageCodec(other);
      const context = contextOf('order.placed', writer);
      const { body } = await writer.encode(data['order.placed'], context);
      expect(await codec.decode(body, context)).toEqual(data['order.placed']);
    }
  });
});

it('the codecs write different bytes, and say which', async () => {
  const sizes = new Map<string, number>();
  for (const name of codecNames) {
    const codec = await createMessageCodec(name);
    const { body } = await codec.encode(data['order.placed'], contextOf('order.placed', codec));
    sizes.set(codec.contentType, body.length);
  }
  expect([...sizes.keys()]).toEqual(['application/json', 'application/avro', 'application/protobuf']);
  const [json = 0, ...binary] = sizes.values();
  for (const bytes of binary) expect(bytes).toBeLessThan(json);
});

it.each(['constructor', '__proto__', 'toString', 'text/plain'])(
  'the content type %s is none of another codec',
  async (contentType) => {
    const codec = await createMessageCodec('json');
    const context = { ...contextOf('order.paid', codec), headers: { [headerNames.contentType]: contentType } };
    expect(await codec.decode(Buffer.from('{"orderId":"1"}'), context)).toEqual({ orderId: '1' });
  },
);

it('a codec that could not be loaded is loaded again for the next message', async () => {
  const json = createJsonCodec();
  let loads = 0;
  const codec = await createMessageCodec('json', {
    json: async () => json,
    avro: async () => {
      loads += 1;
      if (loads === 1) throw new Error('too many open files');
      return { ...json, contentType: 'application/avro', decode: () => 'read' };
    },
    protobuf: async () => json,
  });
  const context = contextOf('order.paid', { ...json, contentType: 'application/avro' });
  const decode = async (): Promise<unknown> => codec.decode(Buffer.alloc(0), context);
  await expect(decode()).rejects.toThrow('too many open files');
  expect(await Promise.all([decode(), decode()])).toEqual(['read', 'read']);
  expect(loads).toBe(2);
});
