import { BentoError, CodecError } from '../errors.ts';
import type { Message } from '../message.ts';
import { markUnreadable } from './unreadable.ts';
import { messageOf, readParts, type WireHeaders, type WireValue } from './wire-values.ts';

/** A message on its way to a broker. */
export interface WireRecord {
  readonly key: WireValue | undefined;
  readonly headers: WireHeaders;
  readonly body: Uint8Array | null;
}

/** A record as a broker delivers it. */
export interface ReceivedRecord {
  readonly topic: string;
  readonly key: WireValue | null | undefined;
  readonly headers: WireHeaders;
  readonly body: Uint8Array | null;
  /** The broker's time of the record, epoch milliseconds. */
  readonly timestamp: number;
  /** As in `Delivery`: unique within the topic. */
  readonly position: string;
}

/** How messages look on a topic: {@link cloudEvents} by default, {@link plain} for topics that exist already. */
export interface WireFormat {
  readonly name: string;
  encode(message: Message): WireRecord;
  /** Throws a `CodecError` when the record is not of this format. Adapters call {@link readRecord}, which does not throw. */
  decode(record: ReceivedRecord): Message;
}

/**
 * The message of a record, whatever the record is: one that cannot be read becomes a message of type `unreadable`, whose handling
 * fails with the `CodecError`, so that it goes the way of every failure, with its original bytes, to the dead letters.
 */
export function readRecord(format: WireFormat, record: ReceivedRecord): Message {
  try {
    return format.decode(record);
  } catch (error) {
    const { topic, position, timestamp } = record;
    const parts = readParts(record);
    const head = { id: positionId(record), type: 'unreadable', source: topic, time: timestamp, headers: parts.headers };
    // `raw` is always there: it tells such a message from the others.
    const message = messageOf(head, { ...parts, raw: parts.raw ?? {} });
    const what = `core: cannot read a record of "${topic}" at ${position}: the wire format "${format.name}" failed. See the cause.`;
    return markUnreadable(
      message,
      error instanceof BentoError ? error : new CodecError(format.name, what, { cause: error }),
    );
  }
}

/** An id for a record without one: the same at every delivery. */
export const positionId = ({ topic, position }: Pick<ReceivedRecord, 'topic' | 'position'>): string =>
  `${topic}/${position}`;
