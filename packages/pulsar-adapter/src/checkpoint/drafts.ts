import type { CheckpointedItem, Position } from '@bento-bus/core';
import { checkLogItems } from '@bento-bus/core/adapter';
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
  checkLogItems(`pulsar-adapter: cannot publish log "${log}"`, targets, items, through);
  return items.map(({ topic, message, position }) => {
    const { parts } = targets.get(topic) as Target;
    const encoded = encoder.encode(topic, message, { [logProperty]: log, [positionProperty]: position });
    const part = parts[partitionOf(encoded.key, parts.length)] as TopicName;
    return { position, part, message: encoded.message };
  });
}
