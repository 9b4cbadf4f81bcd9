import { promisify } from 'node:util';
import zlib from 'node:zlib';
import {
  type Codec,
  type CodecContext,
  CodecError,
  configurationError,
  type Encoded,
  isPromise,
} from '@bento-bus/core';
import { errorsOf, type Fault, shorten, tooLarge, trailing, truncated } from './fault.ts';

/** Names of https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1, but for `brotli`, which is `br` in the header. */
export type CompressionAlgorithm = 'gzip' | 'brotli' | 'deflate';

/** Options of {@link compressed}. */
export interface CompressionOptions {
  /** What `encode` uses; `decode` reads all three. @default 'gzip' */
  readonly algorithm?: CompressionAlgorithm;
  /** Smaller bodies stay as they are. Bytes. @default 1_024 */
  readonly minBytes?: number;
  /** Largest body before compression and after decompression, which stops there. Bytes. @default 5_242_880 (5 MiB) */
  readonly maxBytes?: number;
}

/** The header that says how a body is compressed. */
const header = 'content-encoding';

/** From this size on other threads do the work: on this one it would hold up everything else for longer than a message takes. */
const large = 64 * 1024;

interface Result {
  readonly buffer: Buffer;
  /** `bytesWritten`: how much of the body was used. */
  readonly engine: { readonly bytesWritten: number };
}
type Work = (body: Uint8Array, options: object) => unknown;

interface Coding {
  readonly token: string;
  readonly options: object;
  readonly compress: Work;
  readonly compressLarge: Work;
  readonly expand: Work;
  readonly expandLarge: Work;
}

const codings: Readonly<Record<CompressionAlgorithm, Coding>> = {
  gzip: {
    token: 'gzip',
    options: {},
    compress: zlib.gzipSync,
    compressLarge: promisify(zlib.gzip) as Work,
    expand: zlib.gunzipSync,
    expandLarge: promisify(zlib.gunzip) as Work,
  },
  brotli: {
    token: 'br',
    // The default, 11, takes a hundred times as long for a tenth less.
    options: { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } },
    compress: zlib.brotliCompressSync,
    compressLarge: promisify(zlib.brotliCompress) as Work,
    expand: zlib.brotliDecompressSync,
    expandLarge: promisify(zlib.brotliDecompress) as Work,
  },
  deflate: {
    token: 'deflate',
    options: {},
    compress: zlib.deflateSync,
    compressLarge: promisify(zlib.deflate) as Work,
    expand: zlib.inflateSync,
    expandLarge: promisify(zlib.inflate) as Work,
  },
};

const byToken: ReadonlyMap<string, Coding> = new Map(Object.values(codings).map((coding) => [coding.token, coding]));

/**
 * A codec whose bodies are compressed, with the header `content-encoding`; other bodies it reads as they are. A body that does not become
 * smaller stays as it is. Bodies of 64 KiB and more are compressed and decompressed on other threads: encode and decode give a promise then.
 *
 * What decompresses to more than `maxBytes` is refused when it gets there (a zip bomb takes no more memory than that), and so are damaged,
 * truncated and longer bodies and unknown codings, each as a `CodecError`. Throws a `CONFIGURATION` error for bad options.
 */
export function compressed(codec: Codec, options: CompressionOptions = {}): Codec {
  const { coding, minBytes, maxBytes } = resolve(codec, options);
  const { contentType } = codec;

  const refuse = (action: 'encode' | 'decode', token: string, context: CodecContext, fault: Fault): CodecError =>
    errorsOf(contentType, token)(action, context, fault);

  const shrink = (encoded: Encoded, context: CodecContext): Encoded | Promise<Encoded> => {
    const { body } = encoded;
    if (body.length > maxBytes) throw refuse('encode', coding.token, context, tooLarge(maxBytes, body.length));
    if (body.length < minBytes) return encoded;
    const choose = (smaller: Buffer): Encoded =>
      smaller.length < body.length
        ? { body: smaller, headers: { ...encoded.headers, [header]: coding.token } }
        : encoded;
    return body.length < large
      ? choose(coding.compress(body, coding.options) as Buffer)
      : (coding.compressLarge(body, coding.options) as Promise<Buffer>).then(choose);
  };

  const expand = (body: Uint8Array, token: string, context: CodecContext): unknown => {
    const found = byToken.get(token);
    if (found === undefined)
      throw refuse('decode', 'compressed', context, {
        at: `header ${header}`,
        problem: `the coding "${shorten(token)}" is unknown`,
        advice: `Use one of ${[...byToken.keys()].join(', ')}.`,
      });
    const failed = (error: unknown): never => {
      throw refuse('decode', token, context, faultOf(error, body.length, maxBytes));
    };
    const finished = ({ buffer, engine }: Result): unknown => {
      if (engine.bytesWritten < body.length) throw refuse('decode', token, context, trailing(engine.bytesWritten));
      return codec.decode(buffer, context);
    };
    if (body.length > maxBytes) throw refuse('decode', token, context, tooLarge(maxBytes, body.length));
    const settings = { maxOutputLength: maxBytes, info: true };
    if (body.length >= large) return (found.expandLarge(body, settings) as Promise<Result>).then(finished, failed);
    let result: Result;
    try {
      result = found.expand(body, settings) as Result;
    } catch (error) {
      return failed(error);
    }
    return finished(result);
  };

  return {
    contentType,
    encode(value, context) {
      const encoded = codec.encode(value, context);
      return isPromise(encoded) ? encoded.then((settled) => shrink(settled, context)) : shrink(encoded, context);
    },
    decode(body, context) {
      const token = context.headers[header];
      return token === undefined || token === 'identity' ? codec.decode(body, context) : expand(body, token, context);
    },
  };
}

function faultOf(error: unknown, length: number, maxBytes: number): Fault {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(maxBytes);
  if (code === 'Z_BUF_ERROR') return truncated(length);
  return { problem: 'the compressed body is damaged', advice: 'Correct the producer.' };
}

function resolve(
  codec: Codec,
  { algorithm = 'gzip', minBytes = 1_024, maxBytes = 5 * 1024 * 1024 }: CompressionOptions,
): { readonly coding: Coding; readonly minBytes: number; readonly maxBytes: number } {
  const faults: string[] = [];
  const { encode, decode } = codec as Partial<Codec>;
  if (typeof encode !== 'function' || typeof decode !== 'function') faults.push('the first argument must be a Codec');
  if (!Object.hasOwn(codings, algorithm))
    faults.push(`algorithm is "${algorithm}", wanted is one of ${Object.keys(codings).join(', ')}`);
  if (!Number.isInteger(minBytes) || minBytes < 0)
    faults.push(`minBytes is ${String(minBytes)}, wanted is a whole number of at least 0`);
  if (!Number.isInteger(maxBytes) || maxBytes < 1 || maxBytes > 2 ** 30)
    faults.push(`maxBytes is ${String(maxBytes)}, wanted is a whole number from 1 to ${2 ** 30}`);
  if (faults.length > 0) throw configurationError('codecs: cannot create a "compressed codec"', faults);
  return { coding: codings[algorithm], minBytes, maxBytes };
}
