import type { CheckpointedItem, Position } from '../checkpoint.ts';
import { BentoError } from '../errors.ts';

/**
 * Checks what `CheckpointedPublisher.publish` is given: items ascend, are for topics that the log was opened with, and `through` does not
 * lie before them. Throws a `CONFIGURATION` error; `what` begins its text: `kafka-adapter: cannot publish log "orders"`.
 */
export function checkLogItems(
  what: string,
  topics: { has(topic: string): boolean },
  items: readonly CheckpointedItem[],
  through: Position,
): void {
  const refusal = (cause: string): BentoError => new BentoError('CONFIGURATION', `${what}: ${cause}`);
  let last: Position | undefined;
  for (const { topic, position } of items) {
    if (!topics.has(topic))
      throw refusal(`an item is for topic "${topic}", which it was not opened with. Name all topics on opening.`);
    if (last !== undefined && position <= last)
      throw refusal(`position "${position}" comes after "${last}". Hand items in ascending order.`);
    last = position;
  }
  if (last !== undefined && through < last)
    throw refusal(`it is to pass "${through}" with an item at "${last}". Pass the last position or a later one.`);
}
