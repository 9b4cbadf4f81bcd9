import { configurationError, type Publisher } from '@bento-bus/core';
import { retryTopic } from '../names.ts';
import { turnMessage } from '../parking/sequences.ts';
import type { ParkedMessage, ParkingStore } from '../parking/store.ts';

/** Options of {@link redriveParked}. */
export interface RedriveParkedOptions {
  readonly parking: ParkingStore;
  /** The transport. */
  readonly publisher: Publisher;
  readonly topic: string;
  readonly group: string;
  /** @default every key with something parked */
  readonly keys?: readonly string[];
  /** Drops the first parked message of each key unhandled, so that the others have their turn. Its event stays in the log. @default false */
  readonly discardFirst?: boolean;
}

/** Keys of a group and topic with parked messages, and the first that waits under each; at most `limit` keys (default 1_000). */
export async function listParked(
  { parking, topic, group }: Pick<RedriveParkedOptions, 'parking' | 'topic' | 'group'>,
  limit = 1_000,
): Promise<ReadonlyMap<string, ParkedMessage>> {
  const found = new Map<string, ParkedMessage>();
  for (const [key, sequence] of await parking.open(group, topic)) {
    if (found.size >= limit) break;
    const head = await parking.head({ group, topic, key }, sequence);
    if (head !== undefined) found.set(key, head);
  }
  return found;
}

/**
 * Gives the first parked message of each key its turn, by the retry topic of the group; each that is handled gives it to the next, until
 * all are handled or one fails. What comes meanwhile is parked behind them. Resolves with the keys that were set going; asking twice gives
 * extra tries, no more.
 */
export async function redriveParked(options: RedriveParkedOptions): Promise<readonly string[]> {
  const { parking, publisher, topic, group, keys, discardFirst = false } = options;
  const faults: string[] = [];
  if (typeof (parking as Partial<ParkingStore> | undefined)?.open !== 'function')
    faults.push('parking must be a ParkingStore');
  if (typeof (publisher as Partial<Publisher> | undefined)?.publish !== 'function')
    faults.push('publisher must be a transport');
  if (faults.length > 0) throw configurationError('dlq: cannot redrive what is parked', faults);
  const going: string[] = [];
  for (const [key, sequence] of Array.from(await parking.open(group, topic))) {
    if (keys !== undefined && !keys.includes(key)) continue;
    const place = { group, topic, key };
    let head = await parking.head(place, sequence);
    if (head !== undefined && discardFirst) head = await parking.drained(place, sequence, head.index);
    if (head === undefined) continue;
    await publisher.publish(retryTopic(topic, group), [turnMessage(head, { topic, group })]);
    going.push(key);
  }
  return going;
}
