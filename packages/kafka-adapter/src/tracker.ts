import type { Delivery, Logger } from '@bento-bus/core';
import {
  type CrashGuard,
  createCrashGuard,
  createWatermark,
  formatGuarded,
  formatProgress,
  type GuardState,
  type Progress,
  parseGuarded,
  type Unfinished,
  type Watermark,
} from '@bento-bus/core/adapter';
import type { CommittedOffset, FetchedBatch, TopicPartition } from './driver.ts';

/** The broker's `offset.metadata.max.bytes`. */
const metadataLimit = 4_096;
/** Of it, for what is done above the low watermark; the guard needs the rest. */
const progressLimit = 3_072;

/** A message in the hands of a subscription. */
export interface Entry {
  readonly tracker: Tracker;
  readonly offset: string;
  readonly handle: Unfinished<number>;
  /** Starts of its handler so far, as far as this session knows. */
  started: number;
}

/** How a delivery leads back to its entry; spreading a delivery keeps it. */
export const entryOf: unique symbol = Symbol('kafka-adapter.entry');

/** A delivery of this adapter. */
export type KafkaDelivery = Delivery & { readonly [entryOf]: Entry };

/** What a tracker is made of. */
export interface TrackerOptions extends TopicPartition {
  /** As the group has it; offset -1: nothing yet. */
  readonly committed: CommittedOffset;
  /** Where a group without progress begins. */
  readonly start: number;
  readonly window: number;
  readonly maxCrashes: number;
  readonly store: (tracker: Tracker) => Promise<void>;
  readonly logger: Logger;
  readonly group: string;
}

/** One partition as long as this member has it: what was fetched, what is done, what is committed. Survives generations of the group. */
export class Tracker implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly watermark: Watermark<number>;
  readonly guard: CrashGuard;
  /** Fetched and not yet in the lanes. */
  readonly queue: FetchedBatch[] = [];
  /** Index of the next record in the first batch of the queue. */
  index = 0;
  /** Records in the queue. */
  queued = 0;
  /** At so many or fewer in the queue, the next fetch is welcome. */
  lowWater = 0;
  /** The offset after what was fetched. */
  next: number;
  /** Where fetching was told to go back to, since something before the batch that came was missing. */
  soughtFor = -1;
  paused = false;
  /** As many are in the lanes as may be of one partition. */
  starved = false;
  /** Waits for its lane. */
  pumping = false;
  /** The partition is gone, or somebody else had it meanwhile. */
  dropped = false;
  /** What is done takes more room than there is: nothing new until that shrinks. */
  full = false;
  /** There is something to commit. */
  dirty = false;
  /** The next delivery, while it waits for its lane. */
  waiting: { readonly delivery: KafkaDelivery; readonly condemned: unknown } | undefined;
  /** Somebody waits for the queue to shrink. */
  onLowWater: (() => void) | undefined;
  /** What may stand at the broker if nobody else has had the partition. */
  readonly #ours = new Set<string>();

  constructor(options: TrackerOptions) {
    const { committed, window, maxCrashes, store, logger } = options;
    this.topic = options.topic;
    this.partition = options.partition;
    const offset = committed.offset < 0 ? options.start : committed.offset;
    const found = read(committed);
    this.watermark = createWatermark(found?.progress ?? offset - 1);
    this.next = offset;
    const { topic, partition } = this;
    const fields = { group: options.group, topic, partition };
    const guard = createCrashGuard({
      found: found?.state,
      window,
      maxCrashes,
      store: () => store(this),
      logger,
      fields,
    });
    this.guard = byOffset(guard);
  }

  /** What to commit. `held`: what fails at present, with its attempts. */
  toCommit(held: readonly (readonly [offset: string, attempt: number])[]): CommittedOffset {
    const { topic, partition, watermark } = this;
    const { low, done } = watermark.progress();
    let progress: Progress<bigint> = {
      low: BigInt(low),
      done: done.map(([first, last]) => [BigInt(first), BigInt(last)]),
    };
    const length = formatProgress(progress).length;
    this.full = length > progressLimit;
    // What is cut off comes twice if this session does not end well; nothing is added until it fits.
    for (let kept = progress.done.length; formatProgress(progress).length > progressLimit; ) {
      kept = Math.floor(kept * 0.9);
      progress = { low: progress.low, done: progress.done.slice(0, kept) };
    }
    const offset = low + 1;
    const metadata = formatGuarded(progress, this.guard.state(held), metadataLimit);
    return { topic, partition, offset, metadata };
  }

  /** It is being committed: whether it arrives or not, it is ours. */
  sent(offset: CommittedOffset): void {
    this.#ours.add(textOf(offset));
  }

  /** It was committed: nothing older stands there. */
  stored(offset: CommittedOffset): void {
    this.#ours.clear();
    this.#ours.add(textOf(offset));
  }

  /** Nobody else has had the partition since. */
  isOurs(offset: CommittedOffset): boolean {
    return this.#ours.has(textOf(offset));
  }
}

/** Deliveries are known to the guard, and in what is stored, by their offset. */
const byOffset = (guard: CrashGuard): CrashGuard =>
  Object.create(guard, {
    level: { value: (position: string) => guard.level(offsetIn(position)) },
    begin: {
      value: (started: Parameters<CrashGuard['begin']>[0], company: number) =>
        guard.begin(
          started.map(({ position, attempt }) => ({ position: offsetIn(position), attempt })),
          company,
        ),
    },
    ended: { value: (positions: readonly string[]) => guard.ended(positions.map(offsetIn)) },
    endStored: { value: (positions: readonly string[]) => guard.endStored(positions.map(offsetIn)) },
  }) as CrashGuard;

const textOf = ({ offset, metadata }: CommittedOffset): string => `${offset} ${metadata}`;

/** Opaque to users; `offsetIn` reads it. */
export const positionOf = (partition: number, offset: string): string => `${partition}@${offset}`;

const offsetIn = (position: string): string => position.slice(position.indexOf('@') + 1);

/** What a member of this package left. Anything else, also after somebody has set the offset by hand, says nothing of what is done. */
function read({ offset, metadata }: CommittedOffset): { progress: Progress<number>; state: GuardState } | undefined {
  if (offset < 0 || metadata === '') return undefined;
  try {
    const { progress, state } = parseGuarded(metadata);
    if (Number(progress.low) !== offset - 1) return undefined;
    const done = progress.done.map(([first, last]) => [Number(first), Number(last)] as const);
    return { progress: { low: offset - 1, done }, state };
  } catch {
    return undefined;
  }
}
