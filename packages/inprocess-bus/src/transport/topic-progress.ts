import type { Position } from '@bento-bus/core';
import {
  createWatermark,
  formatProgress,
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
  readonly #watermark: Watermark<Position>;
  readonly #since: number | undefined;

  /** Throws a `CodecError` when `done` is not what {@link formatProgress} makes. */
  constructor({ done, since }: StoredProgress) {
    const progress = parseProgress(done, 'string');
    this.#watermark = createWatermark(progress);
    this.#since = since;
    this.seen = progress.low;
  }

  /** Takes an item, sent at `time`; undefined: it is finished or in hand already. Positions ascend, but for a log that is published again. */
  offer(position: Position, time: number): Unfinished<Position> | undefined {
    if (position > this.seen) this.seen = position;
    const item = this.#watermark.add(position);
    if (item === undefined || this.#since === undefined || time >= this.#since) return item;
    this.#watermark.done(item);
    return undefined;
  }

  finish(item: Unfinished<Position>): void {
    this.#watermark.done(item);
  }

  /** Nothing at or before `position` is still to come. */
  pass(position: Position): void {
    if (position > this.seen) this.seen = position;
    const nothing = this.#watermark.add(position);
    if (nothing !== undefined) this.#watermark.done(nothing);
  }

  toStored(): StoredProgress {
    const done = formatProgress(this.#watermark.progress());
    return this.#since === undefined ? { done } : { done, since: this.#since };
  }
}
