import zlib from 'node:zlib';
import { type Codec, type CodecContext, type Encoded } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { codecRefusalOf } from '../test/support/refusal.ts';
import { compressed } from './compression.ts';
import { createJsonCodec } from './json-codec.ts';

const context: CodecContext = { topic: 'orders', type: 'order.placed', version: 1, headers: { other: 'x' } };
const within = (token: string): CodecContext => ({ ...context, headers: { 'content-encoding': token } });
const json = createJsonCodec();
const text = JSON.stringify('x'.repeat(3_000));
const algorithms = ['gzip', 'brotli', 'deflate'] as const;

describe('compressed', () => {
  it.each(algorithms)('carries bodies of every size with %s', async (algorithm) => {
    const codec = compressed(json, { algorithm });
    for (const size of [0, 1_021, 1_022, 60_000, 70_000, 1_000_000]) {
      const value = 'x'.repeat(size);
      const { body, headers = {} } = await codec.encode(value, context);
      expect(headers).toEqual(size < 1_022 ? {} : { 'content-encoding': algorithm === 'brotli' ? 'br' : algorithm });
      expect(body.length).toBeLessThan(1_100);
      expect((await codec.decode(body, { ...context, headers })) === value).toBe(true);
    }
  });

  it('keeps the headers of the codec within, and awaits it', async () => {
    const inner: Codec = {
      contentType: 'text/plain',
      encode: async (value, given) => ({ ...json.encode(value, given), headers: { schema: '7' } }),
      decode: async (body, given) => json.decode(body, given),
    };
    const codec = compressed(inner);
    expect(codec.contentType).toBe('text/plain');
    const { body, headers = {} } = await codec.encode(text, context);
    expect(headers).toEqual({ schema: '7', 'content-encoding': 'gzip' });
    expect(await codec.decode(body, { ...context, headers })).toBe(text);
  });

  it('leaves alone what is small or does not become smaller', () => {
    const codec = compressed(json, { minBytes: 3_003 });
    expect(codec.encode(JSON.parse(text), context)).toEqual({ body: Buffer.from(text) });
    const noise = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 7919) % 256)).toString('base64');
    const one = compressed(json, { minBytes: 0 });
    expect((one.encode(noise, context) as Encoded).headers).toBeUndefined();
    expect(one.decode(Buffer.from('1'), within('identity'))).toBe(1);
  });

  it.each<[string, string, Buffer, string, string | undefined]>([
    ['a small bomb', 'gzip', zlib.gzipSync(Buffer.alloc(20_000_000)), 'more than the 5242880 bytes allowed', undefined],
    ['a bomb', 'gzip', zlib.gzipSync(Buffer.alloc(100_000_000)), 'more than the 5242880 bytes allowed', undefined],
    [
      'a bomb of brotli',
      'br',
      zlib.brotliCompressSync(Buffer.alloc(50_000_000), { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 2 } }),
      'more than the 5242880 bytes allowed',
      undefined,
    ],
    [
      'a bomb of deflate',
      'deflate',
      zlib.deflateSync(Buffer.alloc(20_000_000)),
      'more than the 5242880 bytes allowed',
      undefined,
    ],
    ['an empty body', 'gzip', Buffer.alloc(0), 'ends too early', 'byte 0'],
    ['a truncated body', 'gzip', zlib.gzipSync(text).subarray(0, 20), 'ends too early', 'byte 20'],
    ['a truncated body of brotli', 'br', zlib.brotliCompressSync(text).subarray(0, 5), 'ends too early', 'byte 5'],
    [
      'a longer body',
      'deflate',
      Buffer.concat([zlib.deflateSync('1'), Buffer.of(1)]),
      'goes on after its end',
      'byte 9',
    ],
    ['a longer body of brotli', 'br', Buffer.concat([zlib.brotliCompressSync('1'), Buffer.of(1)]), 'goes on', 'byte 5'],
    ['a longer body of gzip', 'gzip', Buffer.concat([zlib.gzipSync('1'), Buffer.of(0)]), 'goes on', 'byte 21'],
    ['what is no gzip', 'gzip', Buffer.from('{"a":1}'), 'is damaged', undefined],
    [
      'a wrong checksum',
      'gzip',
      Buffer.concat([zlib.gzipSync(text).subarray(0, -8), Buffer.alloc(8)]),
      'is damaged',
      undefined,
    ],
    ['an unknown coding', 'zstd', Buffer.from('{}'), 'the coding "zstd" is unknown', 'header content-encoding'],
    ['a body beyond maxBytes', 'gzip', Buffer.alloc(5_242_881), '5242881 bytes are more than', undefined],
  ])('refuses %s', async (_, token, body, problem, at) => {
    const error = await codecRefusalOf(() => compressed(json).decode(body, within(token)));
    expect(error).toMatchObject({ codec: 'application/json', at });
    expect(error.message).toContain(problem);
    expect(error.message).toMatch(/^codecs: cannot decode "order.placed" of topic "orders" as \w+: /);
  });

  it('refuses to write what nobody would read', async () => {
    const error = await codecRefusalOf(() => compressed(json, { maxBytes: 3_000 }).encode(JSON.parse(text), context));
    expect(error.message).toContain('3002 bytes are more than the 3000 bytes allowed');
  });

  it('names every fault of its options', () => {
    const none = {} as Codec;
    const create = (): Codec => compressed(none, { algorithm: 'toString' as never, minBytes: -1, maxBytes: 0.5 });
    expect(create).toThrow(
      /^codecs: cannot create a "compressed codec": the first argument must be a Codec; algorithm is "toString".*minBytes is -1.*maxBytes is 0.5/,
    );
  });
});
