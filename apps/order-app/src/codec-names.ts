/** What MESSAGE_CODEC can name. */
export const codecNames = ['json', 'avro', 'protobuf'] as const;
export type CodecName = (typeof codecNames)[number];
