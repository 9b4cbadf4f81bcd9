import type { CheckpointedItem, Position, SubscribeOptions } from '@bento-bus/core';

/** What a child process is told to do: the one argument of its program, as JSON. */
export interface Spec {
  /** Its name in the ledger. */
  readonly name: string;
  /** The ledger's file. */
  readonly ledger: string;
  /** URL of the module that makes its client. */
  readonly module: string;
  readonly members: readonly MemberSpec[];
  readonly work: Work;
  /** A log that it publishes once its members are in place. */
  readonly log?: Load;
  readonly seed: number;
}

/** One subscription of a process. */
export interface MemberSpec extends Pick<SubscribeOptions, 'concurrency' | 'maxHoldMs' | 'maxCrashes' | 'drainMs'> {
  readonly group: string;
  readonly topics: readonly string[];
}

/** What the handlers of a process do; messages are named by their ids. */
export interface Work {
  /** Each takes up to this long. Milliseconds. @default 0: a turn of the event loop */
  readonly upToMs?: number;
  /** Rejects. */
  readonly fails?: readonly string[];
  /** Kills the process as soon as it is started. */
  readonly kills?: readonly string[];
  /** Is handled, then kills the process, `lingersMs` later; its handler has not resolved. */
  readonly killsAfter?: readonly string[];
  /** Milliseconds. @default 0 */
  readonly lingersMs?: number;
  /** Told to end, the process closes its client while a handler is at work. @default false: at once */
  readonly closesBusy?: boolean;
  /** Everything behind so many handled messages is held until the signal aborts. @default nothing is */
  readonly holdsAfter?: number;
}

/** Messages that parent and child make alike. */
export interface Load {
  readonly name: string;
  readonly topics: readonly string[];
  readonly count: number;
  readonly keys: number;
}

/** Position of an item of a load, counted from 1. */
export const placeOf = (item: number): Position => String(item).padStart(16, '0');

/** The messages of a load: keys `k0`, `k1`, … in turn, each key in one topic. As a log: the places 1, 2, …. */
export const itemsOf = ({ name, topics, count, keys }: Load): readonly CheckpointedItem[] =>
  Array.from({ length: count }, (_, index) => {
    const key = index % keys;
    const id = `${name}-${index + 1}`;
    return {
      topic: topics[key % topics.length] as string,
      position: placeOf(index + 1),
      message: {
        id,
        key: `k${key}`,
        type: 'conformance.test',
        source: '/conformance',
        time: 1_700_000_000_000 + index,
        headers: {},
        body: Buffer.from(id),
      },
    };
  });
