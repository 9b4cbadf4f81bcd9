import type { Message } from '@bento-bus/core';

/** Of which messages a parked one is: those of one key, of one group, on one topic. */
export interface ParkingPlace {
  readonly group: string;
  readonly topic: string;
  readonly key: string;
}

/** Why a message is parked, or failed again. */
export interface ParkedFailure {
  readonly reason: string;
  readonly code: string;
  readonly error: string;
  readonly stack: string;
  /** Tries so far. */
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly firstFailed: number;
  readonly lastFailed: number;
}

/** A message that waits for those of its key before it. */
export interface ParkedMessage {
  /** The open sequence that it is in. */
  readonly sequence: string;
  /** Its place, from 1. */
  readonly index: number;
  readonly message: Message;
  /** Where it stood in its topic. */
  readonly position: string;
  /** The last failure; undefined: it never had its turn. */
  readonly failure?: ParkedFailure;
}

/** What is to be parked. */
export type ToPark = Pick<ParkedMessage, 'message' | 'position'>;

/**
 * Keeps messages of a key in order while the first of them cannot be handled. A sequence begins with a message that failed and ends when
 * all of it is handled. Every change is compare-and-set, so that members of a group that change owners do not overtake each other.
 * All that resolves survives a crash.
 */
export interface ParkingStore {
  /** Keys with an open sequence, as of a moment after the call; calls made together share a look. */
  open(group: string, topic: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Begins a sequence; one that is open gets the message behind what it has. A message that is in it already is not added. Undefined: it
   * was in the open sequence, and has been handled.
   */
  begin(place: ParkingPlace, first: ToPark, failure: ParkedFailure): Promise<ParkedMessage | undefined>;
  /** Adds behind what is parked under the key; false: nothing is (any more), so the message has its turn. */
  add(place: ParkingPlace, sequence: string, one: ToPark): Promise<boolean>;
  /** What has its turn next, undefined: the sequence has ended. */
  head(place: ParkingPlace, sequence: string): Promise<ParkedMessage | undefined>;
  /** All that waits, in order, at most `limit` (default 1_000). */
  list(place: ParkingPlace, sequence: string, limit?: number): Promise<readonly ParkedMessage[]>;
  /** The head failed again. */
  failed(place: ParkingPlace, sequence: string, index: number, failure: ParkedFailure): Promise<void>;
  /** The head is handled, or discarded: gives what has its turn next; undefined: there is nothing more, and the sequence has ended. */
  drained(place: ParkingPlace, sequence: string, index: number): Promise<ParkedMessage | undefined>;
}
