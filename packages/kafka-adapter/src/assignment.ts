import type { Logger, StartPosition } from '@bento-bus/core';
import type { FetchPosition, Membership, OffsetLookup, TopicPartition } from './driver.ts';
import { Tracker } from './tracker.ts';

/** What an assignment is made of. */
export interface AssignmentOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly startPosition: StartPosition;
  readonly window: number;
  readonly maxCrashes: number;
  readonly store: (tracker: Tracker) => Promise<void>;
  readonly logger: Logger;
}

/** The partitions that a member has, from generation to generation. */
export class Assignment {
  readonly trackers: Map<string, Tracker> = new Map();
  readonly #options: AssignmentOptions;
  /** Where the group begins in partitions without progress, fixed before this member joins for the first time. */
  #starts: ReadonlyMap<string, number> | undefined;

  constructor(options: AssignmentOptions) {
    this.#options = options;
  }

  of(partition: TopicPartition): Tracker | undefined {
    return this.trackers.get(keyOf(partition));
  }

  /** Before joining: what is published once `subscribe` has resolved must reach the group, also in partitions that others get. */
  async fixStarts(lookup: OffsetLookup): Promise<void> {
    if (this.#starts !== undefined) return;
    const { topics, startPosition } = this.#options;
    const all = topics.flatMap((topic) => lookup.partitions(topic).map((partition) => ({ topic, partition })));
    const unread = (await lookup.committed(all)).filter(({ offset }) => offset < 0);
    const starts = new Map<string, number>();
    for (const topic of new Set(unread.map((one) => one.topic))) {
      const offsets = await lookup.offsets(topic, startPosition);
      for (const one of unread) if (one.topic === topic) starts.set(keyOf(one), offsets.get(one.partition) ?? 0);
    }
    this.#starts = starts;
  }

  /** Partitions that are not in the new assignment. */
  lost(partitions: readonly TopicPartition[]): readonly Tracker[] {
    const keys = new Set(partitions.map(keyOf));
    return [...this.trackers].filter(([key]) => !keys.has(key)).map(([, tracker]) => tracker);
  }

  /**
   * The trackers of the new assignment: kept where nobody else has had the partition meanwhile, else begun where the group stands; these
   * are stored before the first message is handed out. `drop` is told which ones are gone.
   */
  async take(
    partitions: readonly TopicPartition[],
    membership: Membership,
    drop: (trackers: readonly Tracker[]) => void,
  ): Promise<readonly FetchPosition[]> {
    const { store, group, window, maxCrashes, logger } = this.#options;
    const committed = await membership.committed(partitions);
    const begun: Tracker[] = [];
    const gone: Tracker[] = [];
    for (const offset of committed) {
      const key = keyOf(offset);
      const tracker = this.trackers.get(key);
      if (tracker?.isOurs(offset) === true) continue;
      if (tracker !== undefined) gone.push(tracker);
      const { topic, partition } = offset;
      // A partition that came later: all of it was published later.
      const start = this.#starts?.get(key) ?? 0;
      begun.push(new Tracker({ topic, partition, committed: offset, start, window, maxCrashes, store, logger, group }));
    }
    drop(gone);
    for (const tracker of begun) this.trackers.set(keyOf(tracker), tracker);
    if (begun.length > 0) {
      const offsets = begun.map((tracker) => tracker.toCommit([]));
      for (const [index, tracker] of begun.entries()) tracker.sent(offsets[index] as (typeof offsets)[number]);
      try {
        await membership.commit(offsets);
      } catch (error) {
        // Whether it was stored is not known: read again at the next try.
        for (const tracker of begun) this.trackers.delete(keyOf(tracker));
        throw error;
      }
      for (const [index, tracker] of begun.entries()) tracker.stored(offsets[index] as (typeof offsets)[number]);
    }
    return [...this.trackers.values()].map(({ topic, partition, next, paused }) => ({
      topic,
      partition,
      next,
      paused,
    }));
  }

  drop(trackers: readonly Tracker[]): void {
    for (const tracker of trackers) {
      tracker.dropped = true;
      if (this.of(tracker) === tracker) this.trackers.delete(keyOf(tracker));
    }
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
