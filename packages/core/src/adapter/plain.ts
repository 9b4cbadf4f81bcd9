import { CodecError } from '../errors.ts';
import type { Message } from '../message.ts';
import { positionId, type ReceivedRecord, type WireFormat } from './wire-format.ts';
import { messageOf, readParts, wireHeaders, wireKey } from './wire-values.ts';

/** A record of a foreign producer, with key and headers as text. */
export interface PlainRecord {
  readonly topic: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly position: string;
}

/** How to understand the records of topics that exist already. */
export interface PlainOptions {
  /** The message's type: one name for all, or by topic, headers or body. It must not be empty. */
  readonly typeOf: string | ((record: PlainRecord) => string);
  /** The message's id, the same at every delivery. @default `<topic>/<position>` */
  readonly idOf?: (record: PlainRecord) => string;
  /** @default the topic */
  readonly sourceOf?: (record: PlainRecord) => string;
  /** Epoch milliseconds. @default the record's timestamp */
  readonly timeOf?: (record: PlainRecord) => number;
  /** @default the record's key */
  readonly keyOf?: (record: PlainRecord) => string | undefined;
  /** Headers to publish. @default those of the message without CloudEvents attributes (`ce_*`) */
  readonly headersOf?: (message: Message) => Readonly<Record<string, string>>;
}

/**
 * The format of topics whose producers and consumers know nothing of CloudEvents: key, headers and body as they are. Reading: the type
 * comes from `typeOf`; a record for which it throws or gives no name cannot be read, see {@link readRecord}. Writing: only key, headers and body travel; id, type,
 * source and time do not.
 */
export function plain(options: PlainOptions): WireFormat {
  const { typeOf, idOf = positionId, sourceOf = topicOf, timeOf = timestampOf, keyOf, headersOf } = options;
  return {
    name: 'plain',
    encode(message) {
      const headers = headersOf === undefined ? wireHeaders(message, isOwn) : headersOf(message);
      return { key: wireKey(message), headers, body: message.body };
    },
    decode(received) {
      const parts = readParts(received);
      const { topic, timestamp, position } = received;
      const { headers, body } = parts;
      const record: PlainRecord = {
        topic,
        headers,
        body,
        timestamp,
        position,
        ...(parts.key !== undefined && { key: parts.key }),
      };
      const type = typeof typeOf === 'string' ? typeOf : typeOf(record);
      if (typeof type !== 'string' || type === '') throw untyped(received);
      const head = { id: idOf(record), type, source: sourceOf(record), time: timeOf(record), headers };
      return messageOf(head, keyOf === undefined ? parts : { ...parts, key: keyOf(record) });
    },
  };
}

const topicOf = ({ topic }: PlainRecord): string => topic;
const timestampOf = ({ timestamp }: PlainRecord): number => timestamp;
const isOwn = (name: string): boolean => !name.startsWith('ce_');

const untyped = ({ topic, position }: ReceivedRecord): CodecError =>
  new CodecError(
    'plain',
    `core: cannot read a record of "${topic}" at ${position}: typeOf returned no type. Return a name for every record.`,
  );
