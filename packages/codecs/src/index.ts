export { createJsonCodec, type JsonCodec } from './json-codec.ts';
export type { JsonCodecOptions } from './options.ts';
