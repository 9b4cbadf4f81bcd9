import type { Closeable, Logger, Publisher } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { type ParkedMessage, type ParkingStore, redriveParked } from '@bento-bus/dlq';

export interface ParkedAgainOptions {
  readonly parking: ParkingStore;
  /** The transport. */
  readonly publisher: Publisher;
  readonly topic: string;
  readonly group: string;
  /** What a message has in all; one that had fewer has its turn again. */
  readonly tries: number;
  readonly logger: Logger;
}

/** Looks through what is parked. */
export interface ParkedAgain extends Closeable {
  /** Resolves when all has been looked at, or it was closed. */
  readonly finished: Promise<void>;
}

/** Keys that are set going together. */
const batch = 100;

/**
 * In process the delayed tries of parked messages are gone with the process before. Once the group has subscribed, those that have tries
 * left have their turn again; the others wait for a redrive, and one warning says how many. Goes on beside what the shop does; closing
 * ends it.
 */
export function tryParkedAgain({ tries, logger, ...where }: ParkedAgainOptions): ParkedAgain {
  const { parking, topic, group } = where;
  let over = false;
  const run = async (): Promise<void> => {
    let going: string[] = [];
    let waiting = 0;
    const flush = async (): Promise<void> => {
      if (going.length > 0) await redriveParked({ ...where, keys: going });
      going = [];
    };
    for (const [key, sequence] of Array.from(await parking.open(group, topic))) {
      if (over) return;
      const head = await parking.head({ group, topic, key }, sequence);
      if (head === undefined) continue;
      if (hasTries(head, tries)) going.push(key);
      else waiting += 1;
      if (going.length >= batch) await flush();
    }
    await flush();
    if (waiting > 0) logger.warn('parked messages wait until somebody redrives them', { topic, group, keys: waiting });
  };
  const finished = run().catch((error: unknown) => {
    if (!over) logger.warn('parked messages could not be tried again', { topic, group, error });
  });
  return {
    finished,
    ...closeOnce(async () => {
      over = true;
      await finished;
    }),
  };
}

/** One that waits behind others never had its turn. */
const hasTries = ({ failure }: ParkedMessage, tries: number): boolean =>
  failure === undefined || (failure.reason !== 'not-retryable' && failure.attempts < tries);
