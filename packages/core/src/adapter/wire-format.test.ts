import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { CloudEvent, Kafka } from 'cloudevents';
import * as fc from 'fast-check';
import { message } from '../../test/deliveries.ts';
import { headerNames, type Message } from '../index.ts';
import {
  cloudEvents,
  fromHeaders,
  plain,
  type ReceivedRecord,
  readRecord,
  toHeaders,
  type WireFormat,
  type WireHeaders,
  type WireRecord,
  type WireValue,
} from './index.ts';

const bytes = (value: WireValue): Buffer => Buffer.from(value as string);

/** What a broker makes of a record: bytes everywhere. */
function received({ key, headers, body }: WireRecord, topic = 'orders'): ReceivedRecord {
  const sent = Object.entries(headers).map(([name, value]) => {
    const values = Array.isArray(value) ? value : [value];
    return [name, values.length === 1 ? bytes(values[0] as WireValue) : values.map((one: WireValue) => bytes(one))];
  });
  return {
    topic,
    key: key === undefined ? null : bytes(key),
    headers: Object.fromEntries(sent) as WireHeaders,
    body,
    timestamp: 1_800_000_000_000,
    position: '3/17',
  };
}

const through = (format: WireFormat, given: Message): Message => format.decode(received(format.encode(given)));

const order: Message = {
  id: 'e1',
  type: 'order.placed',
  source: 'order-app',
  time: Date.UTC(2026, 10, 21, 8, 7, 6, 5),
  key: 'ø-1',
  headers: { 'content-type': 'application/json', [headerNames.eventVersion]: '2', traceparent: '00-ab-cd-01' },
  body: Buffer.from('{"total":"12.00"}'),
};

const anyMessage = fc
  .record(
    {
      id: fc.string({ minLength: 1 }),
      type: fc.string({ minLength: 1, unit: 'grapheme' }),
      source: fc.string({ minLength: 1, unit: 'grapheme' }),
      time: fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
      headers: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_-]{0,9}$/), fc.string({ unit: 'grapheme' }), {
        maxKeys: 5,
        noNullPrototype: true,
      }),
      body: fc.oneof(fc.constant(null), fc.uint8Array()),
      key: fc.string({ unit: 'grapheme' }),
    },
    { requiredKeys: ['id', 'type', 'source', 'time', 'headers', 'body'] },
  )
  .map((made): Message => made);

const head = { ce_specversion: '1.0', ce_id: '1', ce_type: 't', ce_source: 's' };
const place = { topic: 'orders', position: '0/1', timestamp: 77 };
const timeOf = (text: string): number => fromHeaders({ ...head, ce_time: text }, place).time;

describe('CloudEvents headers', () => {
  it('are those that the CloudEvents SDK writes', () => {
    const event = new CloudEvent({
      id: order.id,
      type: order.type,
      source: order.source,
      time: new Date(order.time).toISOString(),
      datacontenttype: 'application/json',
      eventversion: '2',
      data: { total: '12.00' },
    });
    const theirs = Object.fromEntries(
      Object.entries(Kafka.binary(event).headers).filter(([, value]) => value !== undefined),
    );
    // The SDK repeats the content type and leaves out what is no attribute.
    delete theirs['ce_datacontenttype'];
    const { traceparent, ...ours } = toHeaders(order);
    expect(traceparent).toBe('00-ab-cd-01');
    expect(ours).toEqual(theirs);
  });

  it('are read by the SDK as the event that was written, whatever it is', () => {
    fc.assert(
      fc.property(anyMessage, (given) => {
        const body = Buffer.from('{"a":1}');
        const { headers, key } = cloudEvents.encode({
          ...given,
          headers: { 'content-type': 'application/json' },
          body,
        });
        const theirs = { headers: headers as Record<string, string>, key, value: body, body };
        const event = Kafka.toEvent(theirs);
        expect(event).toMatchObject({
          id: given.id,
          type: given.type,
          source: given.source,
          time: new Date(given.time).toISOString(),
          specversion: '1.0',
          datacontenttype: 'application/json',
          data: { a: 1 },
        });
      }),
      { seed: 5 },
    );
  });

  it('of the SDK are read as the event that it wrote', () => {
    const event = new CloudEvent({
      id: 'e9',
      type: 'com.example.shipped',
      source: '/shop',
      time: '2026-11-21T08:07:06.5+01:00',
      subject: 'o-7',
      datacontenttype: 'application/json',
      correlationid: 'c1',
      data: { a: 1 },
    });
    const { headers } = Kafka.binary(event);
    const known = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as WireHeaders;
    expect(cloudEvents.decode(received({ key: 'k', headers: known, body: null }))).toEqual({
      id: 'e9',
      type: 'com.example.shipped',
      source: '/shop',
      time: Date.UTC(2026, 10, 21, 7, 7, 6, 500),
      key: 'k',
      headers: {
        'content-type': 'application/json',
        ce_datacontenttype: 'application/json',
        ce_subject: 'o-7',
        ce_correlationid: 'c1',
      },
      body: null,
    });
  });

  it('win over headers of their name', () => {
    expect(toHeaders({ ...order, headers: { ce_id: 'forged', ce_time: 'never' } })).toMatchObject({
      ce_id: 'e1',
      ce_time: '2026-11-21T08:07:06.005Z',
    });
  });

  it('refuse a message that CloudEvents cannot say', () => {
    for (const wrong of [{ id: '' }, { type: '' }, { source: '' }, { time: Number.NaN }, { time: 8e15 }]) {
      expect(() => toHeaders({ ...order, ...wrong })).toThrow(expect.objectContaining({ code: 'CODEC' }));
    }
  });

  it('without a time take that of the record', () => {
    expect(fromHeaders({ ...head, other: 'x' }, place)).toEqual({
      id: '1',
      type: 't',
      source: 's',
      time: 77,
      headers: { other: 'x' },
    });
  });

  it.each([
    [
      'ce_id, ce_type, ce_source, ce_specversion',
      {},
      /ce_id is missing, ce_type is missing, ce_source is missing, ce_specversion is missing/,
    ],
    ['a type', { ...head, ce_type: '' }, /ce_type is missing/],
    ['spec version 1.0', { ...head, ce_specversion: '0.3' }, /ce_specversion is "0.3"/],
    ['an RFC 3339 time', { ...head, ce_time: 'yesterday' }, /ce_time is "yesterday"/],
    ['binary mode', { 'content-type': 'application/cloudevents+json; charset=UTF-8' }, /structured mode/],
  ])('without %s are a CodecError that says so', (_, headers, text) => {
    const read = () => fromHeaders(headers, place);
    expect(read).toThrow(expect.objectContaining({ code: 'CODEC', codec: 'cloudevents', retryable: false }));
    expect(read).toThrow(text);
    expect(read).toThrow(/^core: cannot read a record of "orders" at 0\/1 .*plain\(\{ typeOf \}\)/);
  });

  it('say times as RFC 3339 does, and read no other', () => {
    expect(timeOf('2026-11-21T08:07:06Z')).toBe(Date.UTC(2026, 10, 21, 8, 7, 6));
    expect(timeOf('2026-11-21t08:07:06.1239z')).toBe(Date.UTC(2026, 10, 21, 8, 7, 6, 123));
    expect(timeOf('2026-11-21T08:07:06.005-00:30')).toBe(Date.UTC(2026, 10, 21, 8, 37, 6, 5));
    expect(timeOf('2016-12-31T23:59:60Z')).toBe(Date.UTC(2017, 0, 1));
    expect(timeOf('2000-02-29T00:00:00Z')).toBe(Date.UTC(2000, 1, 29));
    // The second of one time tells nothing of another's form.
    expect(timeOf('2026-11-21T08:07:06.005Z')).toBe(Date.UTC(2026, 10, 21, 8, 7, 6, 5));
    for (const wrong of [
      '2026-11-21T08:07:06.0x5Z',
      '2026-11-21T08:07:06. 05Z',
      '2026-02-29T00:00:00Z',
      '2026-11-00T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-11-21',
      '2026-11-21T24:00:00Z',
      '2026-11-21T08:07:06',
      '1763712426005',
      '',
    ]) {
      expect(() => timeOf(wrong)).toThrow(/ce_time/);
    }
  });
});

describe('the CloudEvents format', () => {
  it('brings every message through as it was', () => {
    fc.assert(
      fc.property(anyMessage, (given) => {
        const { key = null, body, ...rest } = through(cloudEvents, given);
        expect({ ...rest, key }).toEqual({ ...given, key: given.key ?? null, body: undefined });
        expect(body && [...body]).toEqual(given.body && [...given.body]);
      }),
      { seed: 9, numRuns: 300 },
    );
  });

  it('keeps original bytes of keys and headers that text cannot carry, and sends them again', () => {
    const key = Buffer.from([0xff, 0x00, 0x01]);
    const record: ReceivedRecord = {
      ...received(cloudEvents.encode(order)),
      key,
      headers: {
        ...received(cloudEvents.encode(order)).headers,
        'X-Trace': bytes('a'),
        blob: [Buffer.from([0xfe]), bytes('last')],
        bom: bytes('\uFFFD'),
      },
    };
    const read = cloudEvents.decode(record);
    expect(read).toMatchObject({ key: '/wAB', headers: { 'x-trace': 'a', blob: 'last', bom: '\uFFFD' } });
    const again = cloudEvents.encode({ ...read, headers: { ...read.headers, reason: 'poison' } });
    expect(again.key).toEqual(key);
    expect(received(again).headers).toEqual({ ...record.headers, reason: bytes('poison') });
    const edited = cloudEvents.encode({ ...read, key: 'other', headers: { ...read.headers, blob: 'new' } });
    expect(edited.key).toBe('other');
    expect(received(edited).headers).toEqual({ ...record.headers, blob: bytes('new') });
  });

  it('has no raw bytes where text says all', () => {
    expect(through(cloudEvents, order)).toEqual(order);
  });

  it('cannot be made to change a prototype', () => {
    const headers = JSON.parse(
      '{"__proto__":["x"],"ce_specversion":"1.0","ce_id":"1","ce_type":"t","ce_source":"s"}',
    ) as WireHeaders;
    const read = cloudEvents.decode({ ...received(cloudEvents.encode(order)), headers });
    expect(Object.getPrototypeOf(read.headers)).toBe(Object.prototype);
    expect(Object.keys(read.headers)).toEqual([]);
  });
});

describe('the plain format', () => {
  const record: ReceivedRecord = {
    topic: 'legacy',
    key: bytes('k1'),
    headers: { kind: bytes('Shipped') },
    body: bytes('{}'),
    timestamp: 42,
    position: '0/9',
  };

  it('takes the type from where it is told, and the rest from the record', () => {
    const format = plain({ typeOf: ({ topic, headers }) => `${topic}.${headers['kind']}` });
    expect(format.decode(record)).toEqual({
      id: 'legacy/0/9',
      type: 'legacy.Shipped',
      source: 'legacy',
      time: 42,
      key: 'k1',
      headers: { kind: 'Shipped' },
      body: bytes('{}'),
    });
  });

  it('lets the caller say id, source, time and key', () => {
    const format = plain({
      typeOf: 'fixed',
      idOf: ({ key }) => `id-${key}`,
      sourceOf: () => 'erp',
      timeOf: ({ timestamp }) => timestamp * 2,
      keyOf: ({ headers }) => headers['kind'],
    });
    expect(format.decode(record)).toMatchObject({
      id: 'id-k1',
      type: 'fixed',
      source: 'erp',
      time: 84,
      key: 'Shipped',
    });
  });

  it('writes key, headers and body without CloudEvents attributes', () => {
    expect(plain({ typeOf: 'x' }).encode(order)).toEqual({
      key: 'ø-1',
      headers: { 'content-type': 'application/json', traceparent: '00-ab-cd-01' },
      body: order.body,
    });
    expect(plain({ typeOf: 'x', headersOf: ({ type }) => ({ kind: type }) }).encode(order).headers).toEqual({
      kind: 'order.placed',
    });
  });
});

describe('a record that cannot be read', () => {
  it('becomes a message with all its bytes, which fails later', () => {
    const record = {
      ...received(cloudEvents.encode(message())),
      headers: { Weird: Buffer.from([0xff]) },
      body: bytes('x'),
    };
    expect(readRecord(cloudEvents, record)).toMatchObject({
      id: 'orders/3/17',
      type: 'unreadable',
      source: 'orders',
      time: 1_800_000_000_000,
      body: bytes('x'),
      raw: { headers: [['Weird', Buffer.from([0xff])]] },
    });
  });

  it('does not stop the reader when a user function throws', () => {
    const format = plain({
      typeOf: () => {
        throw new TypeError('no kind');
      },
    });
    expect(readRecord(format, received(cloudEvents.encode(message()))).type).toBe('unreadable');
  });
});
