// The codecs against the libraries beneath them, on an order of 10 fields and 3 items.
// `node tools/bench/figures/codecs.mjs` prints nanoseconds and bytes of each.
import { pathToFileURL } from 'node:url';
import avsc from 'avsc';
import protobuf from 'protobufjs';
import { measure } from '../measure.mjs';

const context = { topic: 'orders', type: 'order.placed', version: 1, headers: {} };
const order = {
  orderId: '0193a1b2-7c3e-7cc1-b5a4-0e6f4a1d2c3b',
  customerId: 'customer-000123',
  email: 'someone@example.com',
  country: 'France',
  status: 'PAID',
  placedAt: 1_732_176_000_000,
  total: 59.7,
  currency: 'EUR',
  gift: false,
  items: [
    { sku: '85123A', title: 'white hanging heart t-light holder', quantity: 6, price: 2.55 },
    { sku: '71053', title: 'white metal lantern', quantity: 6, price: 3.39 },
    { sku: '84406B', title: 'cream cupid hearts coat hanger', quantity: 8, price: 3 },
  ],
};
const field = (name, type) => ({ name, type });
const item = {
  type: 'record',
  name: 'Item',
  fields: [field('sku', 'string'), field('title', 'string'), field('quantity', 'int'), field('price', 'double')],
};
const schema = {
  type: 'record',
  name: 'OrderPlaced',
  fields: [
    field('orderId', 'string'),
    field('customerId', 'string'),
    field('email', ['null', 'string']),
    field('country', 'string'),
    field('status', { type: 'enum', name: 'Status', symbols: ['NEW', 'PAID'] }),
    field('placedAt', 'long'),
    field('total', 'double'),
    field('currency', 'string'),
    field('gift', 'boolean'),
    field('items', { type: 'array', items: item }),
  ],
};
const proto = `syntax = "proto3"; package shop;
  enum Status { NEW = 0; PAID = 1; }
  message Item { string sku = 1; string title = 2; int32 quantity = 3; double price = 4; }
  message OrderPlaced {
    string order_id = 1; string customer_id = 2; optional string email = 3; string country = 4; Status status = 5; int64 placed_at = 6;
    double total = 7; string currency = 8; bool gift = 9; repeated Item items = 10;
  }`;
const message = 'shop.OrderPlaced';

/** What a registry does for each message once it knows the schema: five bytes before the payload. */
const prefix = Uint8Array.of(0, 0, 0, 0, 7);
const registryOf = (format, text) => {
  const [mark, writer] = [{ prefix }, { id: '7', schema: { format, text }, offset: prefix.length, message: [1] }];
  return { mark: () => mark, writerOf: () => writer };
};

const avroCodec = async (registry) => {
  const { createAvroCodec } = await import('@bento-bus/codecs/avro');
  return createAvroCodec({ schemas: { 'order.placed': schema }, ...(registry && { registry }) });
};
const protobufCodec = async (registry) => {
  const { createProtobufCodec } = await import('@bento-bus/codecs/protobuf');
  return createProtobufCodec({ types: { 'order.placed': { proto, message } }, ...(registry && { registry }) });
};

/** The fastest way to write with avsc: into one buffer, and a copy of it. */
function rawAvro() {
  const type = avsc.Type.forSchema(schema);
  const room = Buffer.allocUnsafeSlow(64 * 1024);
  return {
    encode() {
      const end = type.encode(order, room, prefix.length);
      room.set(prefix);
      const body = Buffer.allocUnsafe(end);
      room.copy(body, 0, 0, end);
      return body;
    },
    decode: (body) => type.fromBuffer(body.subarray(prefix.length)),
    unframed: (body) => type.fromBuffer(body),
  };
}

function rawProtobuf() {
  const type = protobuf.parse(proto).root.lookupType(message);
  const value = type.create({ ...order, status: 1 });
  return {
    encode: () => Buffer.concat([prefix, type.encode(value).finish()]),
    decode: (body) => type.decode(body.subarray(prefix.length)),
    unframed: (body) => type.decode(body),
  };
}

let kept;
const repeat = (run) => (operations) => {
  for (let i = 0; i < operations; i += 1) kept = run();
};

/** The result of both sides must be the same thing, or their times mean nothing. */
const check = (holds) => {
  if (!holds) throw new Error(`bench: the sides do not do the same: ${JSON.stringify(kept)}`);
};

const sampling = { rounds: 61, sampleMs: 10 };

const figureOf = (name, what, target, open) => ({ name: `codecs/${name}`, what, target, sampling, open });

const encoding = (codecOf, rawOf, format) => async () => {
  const [codec, raw] = [await codecOf(registryOf(format, format === 'AVRO' ? JSON.stringify(schema) : proto)), rawOf()];
  check(Buffer.from(codec.encode(order, context).body).equals(raw.encode()));
  return { ours: repeat(() => codec.encode(order, context).body), reference: repeat(raw.encode) };
};

const decoding = (codecOf, rawOf, format) => async () => {
  const [codec, raw] = [await codecOf(registryOf(format, format === 'AVRO' ? JSON.stringify(schema) : proto)), rawOf()];
  const body = raw.encode();
  check(codec.decode(body, context).items[2].title === raw.decode(body).items[2].title);
  return { ours: repeat(() => codec.decode(body, context)), reference: repeat(() => raw.decode(body)) };
};

/** Without a registry nothing differs from raw use but plain objects and the guards. */
const guarding = (codecOf, rawOf) => async () => {
  const [codec, raw] = [await codecOf(), rawOf()];
  const { body } = codec.encode(order, context);
  check(codec.decode(body, context).orderId === raw.unframed(body).orderId);
  return { ours: repeat(() => codec.decode(body, context)), reference: repeat(() => raw.unframed(body)) };
};

export const codecs = [
  figureOf(
    'avro-encode',
    'Avro in wire format 0; reference: avsc into one buffer, and a copy',
    0.9,
    encoding(avroCodec, rawAvro, 'AVRO'),
  ),
  figureOf('avro-decode', 'the same back; reference: avsc fromBuffer', 0.9, decoding(avroCodec, rawAvro, 'AVRO')),
  figureOf(
    'avro-guards',
    'reading without a registry: what the guards cost; reference: avsc, which has none',
    0.95,
    guarding(avroCodec, rawAvro),
  ),
  figureOf(
    'protobuf-encode',
    'Protobuf of a plain value, each field checked; reference: protobufjs encode of its own message, unchecked',
    0.9,
    encoding(protobufCodec, rawProtobuf, 'PROTOBUF'),
  ),
  figureOf(
    'protobuf-decode',
    'to a plain value with defaults and symbols; reference: protobufjs decode to its own message',
    0.9,
    decoding(protobufCodec, rawProtobuf, 'PROTOBUF'),
  ),
  figureOf(
    'protobuf-guards',
    'reading without a registry: what the guards cost; reference: protobufjs decode',
    0.95,
    guarding(protobufCodec, rawProtobuf),
  ),
];

async function table() {
  const { createJsonCodec, compressed } = await import('@bento-bus/codecs');
  const json = createJsonCodec();
  const sides = {
    JSON: json,
    'JSON, gzip': compressed(json, { minBytes: 0 }),
    Avro: await avroCodec(),
    'Avro, wire format 0': await avroCodec(registryOf('AVRO', JSON.stringify(schema))),
    Protobuf: await protobufCodec(),
    'Protobuf, wire format 0': await protobufCodec(registryOf('PROTOBUF', proto)),
  };
  console.log('| codec | encode ns | decode ns | bytes |\n|---|---|---|---|');
  for (const [name, codec] of Object.entries(sides)) {
    const { body, headers } = codec.encode(order, context);
    const reading = { ...context, headers: { ...headers } };
    // Both in turn, as both sides of a figure are.
    const rates = await measure(
      { ours: repeat(() => codec.encode(order, context)), reference: repeat(() => codec.decode(body, reading)) },
      sampling,
    );
    console.log(
      `| ${name} | ${Math.round(1e9 / rates.ours)} | ${Math.round(1e9 / rates.reference)} | ${body.length} |`,
    );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await table();
