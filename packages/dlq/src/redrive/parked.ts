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

/** Keys looked at or set going at once: an event store answers what is asked together in one query. */
const atOnce = 64;

/** How many keys of a group and topic have parked messages. One look at the index. */
export const countParked = async ({
  parking,
  topic,
  group,
}: Pick<RedriveParkedOptions, 'parking' | 'topic' | 'group'>): Promise<number> =>
  (await parking.open(group, topic)).size;

/** Keys of a group and topic with parked messages, and the first that waits under each; at most `limit` keys (default 1_000). */
export async function listParked(
  { parking, topic, group }: Pick<RedriveParkedOptions, 'parking' | 'topic' | 'group'>,
  limit = 1_000,
): Promise<ReadonlyMap<string, ParkedMessage>> {
  const found = new Map<string, ParkedMessage>();
  const open = Array.from(await parking.open(group, topic));
  for (let from = 0; from < open.length && found.size < limit; from += atOnce) {
    const some = open.slice(from, from + atOnce);
    const heads = await Promise.all(some.map(([key, sequence]) => parking.head({ group, topic, key }, sequence)));
    for (const [index, head] of heads.entries())
      if (head !== undefined && found.size < limit) found.set((some[index] as [string, string])[0], head);
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
  const wanted = keys === undefined ? undefined : new Set(keys);
  const open = Array.from(await parking.open(group, topic)).filter(([key]) => wanted?.has(key) ?? true);
  const start = async ([key, sequence]: readonly [string, string]): Promise<string | undefined> => {
    const place = { group, topic, key };
    let head = await parking.head(place, sequence);
    if (head !== undefined && discardFirst) head = await parking.drained(place, sequence, head.index);
    if (head === undefined) return undefined;
    await publisher.publish(retryTopic(topic, group), [turnMessage(head, { topic, group })]);
    return key;
  };
  const going: string[] = [];
  for (let from = 0; from < open.length; from += atOnce) {
    const started = await Promise.all(open.slice(from, from + atOnce).map(start));
    for (const key of started) if (key !== undefined) going.push(key);
  }
  return going;
}
