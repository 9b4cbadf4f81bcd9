export { createAvroCodec } from './codec.ts';
export type { AvroCodecOptions, AvroSchema } from './options.ts';
