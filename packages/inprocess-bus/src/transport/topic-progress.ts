import type { LogFields, Logger, Position } from '@bento-bus/core';
import {
  type CrashGuard,
  createCrashGuard,
  createWatermark,
  formatProgress,
  type GuardEntry,
  type GuardState,
  parseProgress,
  type Unfinished,
  type Watermark,
} from '@bento-bus/core/adapter';

/** Progress of one group in one topic of a log, as it is stored. */
export interface StoredProgress {
  /** What is finished, in the notation of core's `formatProgress`. */
  readonly done: string;
  /** Messages from before this time are passed over. Epoch milliseconds. */
  readonly since?: number;
  /** Of the crash guard; absent where there is nothing to know. */
  readonly guard?: {
    readonly starts: number;
    readonly suspectLeft: number;
    readonly entries: readonly (readonly [Position, GuardEntry])[];
  };
}

/** What a topic's guard needs of its surroundings. */
export interface Guarding {
  readonly window: number;
  readonly maxCrashes: number;
  readonly logger: Logger;
  readonly fields: LogFields;
  /** Stores the progress of the group. */
  readonly store: () => Promise<void>;
  /** What of the topic fails at present, with the starts of its handler so far. */
  readonly held: () => Iterable<readonly [position: Position, attempt: number]>;
}

/** Progress of a group that begins after `position`. */
export const beginAfter = (position: Position, since?: number): StoredProgress => ({
  done: formatProgress({ low: position, done: [] }),
  ...(since === undefined ? {} : { since }),
});

/** Which items of a log one group has finished in one topic. Grows with what the group has in hand, not with what is finished. */
export class TopicProgress {
  /** The highest position offered, or passed without an item, in this process. */
  seen: Position;
  /** The log has passed this position with nothing more for the topic, once the cursor has read up to this offset. */
  passed: { readonly offset: number; readonly position: Position } | undefined;
  /** From when a member of the group reads the topic. */
  guard: CrashGuard | undefined;
  readonly #watermark: Watermark<Position>;
  readonly #since: number | undefined;
  readonly #found: StoredProgress['guard'];
  /** What was finished above `low` when this process began. */
  readonly #given: readonly (readonly [Position, Position])[];
  #held: Guarding['held'] = () => [];

  /** Throws a `CodecError` when `done` is not what {@link formatProgress} makes. */
  constructor({ done, since, guard }: StoredProgress) {
    const progress = parseProgress(done, 'string');
    this.#watermark = createWatermark(progress);
    this.#since = since;
    this.#found = guard;
    this.#given = progress.done;
    this.seen = progress.low;
  }

  /** A session of this process begins, once; store the progress before an item is handed over. */
  beginSession({ held, store, ...guarding }: Guarding): void {
    if (this.guard !== undefined) return;
    this.#held = held;
    const found: GuardState | undefined = this.#found && { ...this.#found, entries: new Map(this.#found.entries) };
    this.guard = createCrashGuard({ ...guarding, found, store });
  }

  /** Takes an item, sent at `time`; undefined: it is finished or in hand already. Positions ascend, but for a log that is published again. */
  offer(position: Position, time: number): Unfinished<Position> | undefined {
    if (position > this.seen) this.seen = position;
    const item = this.#watermark.add(position);
    if (item === undefined || this.#since === undefined || time >= this.#since) return item;
    this.#watermark.done(item);
    return undefined;
  }

  /** Whether {@link offer} will take it; takes nothing. */
  isNew(position: Position, time: number): boolean {
    if (position <= this.seen || (this.#since !== undefined && time < this.#since)) return false;
    return this.#given.every(([first, last]) => position < first || position > last);
  }

  finish(item: Unfinished<Position>): void {
    this.#watermark.done(item);
    this.guard?.settled(item.position);
  }

  /** Nothing at or before `position` is still to come. */
  pass(position: Position): void {
    if (position > this.seen) this.seen = position;
    const nothing = this.#watermark.add(position);
    if (nothing !== undefined) this.#watermark.done(nothing);
  }

  toStored(): StoredProgress {
    const done = formatProgress(this.#watermark.progress());
    const stored = this.#since === undefined ? { done } : { done, since: this.#since };
    if (this.guard === undefined) return this.#found === undefined ? stored : { ...stored, guard: this.#found };
    const { starts, suspectLeft, entries } = this.guard.state(this.#held());
    if (starts === 0 && suspectLeft === 0 && entries.size === 0) return stored;
    return { ...stored, guard: { starts, suspectLeft, entries: [...entries] } };
  }
}
