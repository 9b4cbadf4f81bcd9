export { createProtobufCodec } from './codec.ts';
export type { ProtobufCodecOptions } from './options.ts';
export type { Longs } from './reader.ts';
export type { ProtobufType } from './schema.ts';
