import type { CodecContext, CodecError } from '@bento-bus/core';
import { type ErrorOf, errorsOf } from '../fault.ts';
import type { Refusal } from './cache.ts';
import type { SchemaFormat } from './port.ts';

/** As the codecs of this package say it. */
const errors: Readonly<Record<SchemaFormat, ErrorOf>> = {
  AVRO: errorsOf('application/avro', 'Avro'),
  PROTOBUF: errorsOf('application/protobuf', 'Protobuf'),
  JSON: errorsOf('application/json', 'JSON'),
};

/** The `CodecError` of a message that a registry's answer keeps from being written or read. */
export const refused = (
  action: 'encode' | 'decode',
  format: SchemaFormat,
  context: CodecContext,
  { problem, advice }: Pick<Refusal, 'problem' | 'advice'>,
  at?: string,
): CodecError => errors[format](action, context, { problem, advice, ...(at !== undefined && { at }) });
