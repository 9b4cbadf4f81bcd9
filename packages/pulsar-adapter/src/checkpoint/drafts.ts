import { type BentoError, type CheckpointedItem, configurationError, type Position } from '@bento-bus/core';
import type { EncodedMessage } from '../driver.ts';
import { partitionOf } from '../key-hash.ts';
import type { TopicName } from '../names.ts';
import type { Encoder } from '../publish/encode.ts';
import { logProperty, positionProperty } from './stored.ts';

/** A topic of the log with its partitions; one without them has itself. */
export interface Target {
  readonly name: string;
  readonly parts: readonly TopicName[];
}

/** One item, checked and encoded. */
export interface Draft {
  readonly position: Position;
  readonly part: TopicName;
  readonly message: EncodedMessage;
}

/** The items ready to be sent. Faults are found before anything is stored. */
export function draftsOf(
  log: string,
  items: readonly CheckpointedItem[],
  through: Position,
  targets: ReadonlyMap<string, Target>,
  encoder: Encoder,
): Draft[] {
  const drafts: Draft[] = [];
  let last: Position | undefined;
  for (const { topic, message, position } of items) {
    const parts = targets.get(topic)?.parts;
    if (parts === undefined) throw refusal(log, `an item is for topic "${topic}", which the log was not opened with`);
    if (last !== undefined && position <= last) throw refusal(log, `position "${position}" comes after "${last}"`);
    last = position;
    const encoded = encoder.encode(topic, message, { [logProperty]: log, [positionProperty]: position });
    const part = parts[partitionOf(encoded.key, parts.length)] as TopicName;
    drafts.push({ position, part, message: encoded.message });
  }
  if (last !== undefined && through < last) throw refusal(log, `it is to pass "${through}" with an item at "${last}"`);
  return drafts;
}

const refusal = (log: string, fault: string): BentoError =>
  configurationError(`pulsar-adapter: cannot publish log "${log}"`, [fault]);
