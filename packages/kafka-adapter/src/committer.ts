import type { LogFields, Logger } from '@bento-bus/core';
import { type Backoff, fullJitter } from '@bento-bus/core/adapter';
import type { Membership } from './driver.ts';
import { isStaleMember, toBentoError } from './errors.ts';
import type { Tracker } from './tracker.ts';

/** How a committer works. */
export interface CommitterOptions {
  readonly intervalMs: number;
  /** Offsets and attempts of what fails at present, by partition. */
  readonly held: () => ReadonlyMap<Tracker, readonly (readonly [offset: string, attempt: number])[]>;
  /** Something was committed: what waited for a shorter progress may go on. */
  readonly onCommitted: () => void;
  /** It cannot be mended by trying again. */
  readonly onFault: (error: unknown) => void;
  readonly logger: Logger;
  readonly fields: LogFields;
}

const mendable: ReadonlySet<string> = new Set(['CONNECTION', 'TIMEOUT', 'PUBLISH', 'REPLICAS', 'UNKNOWN_TOPIC']);

interface Waiter {
  readonly tracker: Tracker | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits what partitions have to say, one request at a time for all of them, at most every `intervalMs`. Between two generations it
 * stands still; what is refused by generation is kept until the next one or until its partition is gone.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #backoff: Backoff = fullJitter({ baseMs: 100, capMs: 2_000 });
  readonly #dirty = new Set<Tracker>();
  #waiters: Waiter[] = [];
  #membership: Membership | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #last = 0;
  #failures = 0;
  #closed = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** The partition has something to commit. */
  touch(tracker: Tracker): void {
    if (tracker.dirty) return;
    tracker.dirty = true;
    this.#dirty.add(tracker);
    this.#schedule();
  }

  /** Resolves when the present state of the partition is stored; rejects when the group has moved on before. */
  store(tracker: Tracker): Promise<void> {
    this.touch(tracker);
    return this.#stored(tracker);
  }

  /** Resolves when all that there is to commit has been; at once when there is no generation to commit it in. Rejects like {@link store}. */
  async flush(): Promise<void> {
    while (this.#membership !== undefined) {
      if (this.#running !== undefined) await this.#running;
      else if (this.#dirty.size > 0) await this.#stored(undefined);
      else return;
    }
  }

  /** From now on in this generation; undefined: in none. */
  use(membership: Membership | undefined): void {
    this.#membership = membership;
    this.#failures = 0;
    this.#schedule();
  }

  forget(tracker: Tracker): void {
    this.#dirty.delete(tracker);
    tracker.dirty = false;
    const [gone, rest] = [[] as Waiter[], [] as Waiter[]];
    for (const waiter of this.#waiters) (waiter.tracker === tracker ? gone : rest).push(waiter);
    this.#waiters = rest;
    for (const { reject } of gone) reject(lostError);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiters.splice(0)) reject(lostError);
  }

  #stored(tracker: Tracker | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ tracker, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#closed || this.#running !== undefined || this.#membership === undefined) return;
    if (this.#dirty.size === 0 && this.#waiters.length === 0) return;
    const urgent = this.#waiters.length > 0 && this.#failures === 0;
    const pause = this.#failures > 0 ? this.#backoff(this.#failures) : this.#options.intervalMs;
    const wait = urgent ? 0 : Math.max(0, this.#last + pause - Date.now());
    if (wait > 0 && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (wait > 0) this.#timer = setTimeout(() => this.#begin(), wait);
    else this.#begin();
  }

  #begin(): void {
    this.#timer = undefined;
    const membership = this.#membership;
    if (this.#closed || this.#running !== undefined || membership === undefined) return;
    this.#last = Date.now();
    this.#running = this.#commit(membership).finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
  }

  async #commit(membership: Membership): Promise<void> {
    const { held: heldOf, onCommitted, onFault, logger, fields } = this.#options;
    const trackers = [...this.#dirty];
    const waiters = this.#waiters.splice(0);
    this.#dirty.clear();
    const held = trackers.length > 0 ? heldOf() : new Map<Tracker, []>();
    const offsets = trackers.map((tracker) => {
      tracker.dirty = false;
      const offset = tracker.toCommit(held.get(tracker) ?? []);
      tracker.sent(offset);
      return offset;
    });
    try {
      if (offsets.length > 0) await membership.commit(offsets);
      for (const [index, tracker] of trackers.entries()) tracker.stored(offsets[index] as (typeof offsets)[number]);
      this.#failures = 0;
      for (const { resolve } of waiters) resolve();
      onCommitted();
    } catch (cause) {
      for (const tracker of trackers) if (!tracker.dropped) this.#again(tracker);
      const error = toBentoError(cause, `commit the progress of group "${String(fields['group'])}"`);
      if (isStaleMember(cause)) {
        // It comes again, or goes on in the next generation.
        if (this.#membership === membership) this.#membership = undefined;
        for (const { reject } of waiters) reject(error);
        logger.debug('kafka-adapter: the group has moved on; progress is committed after joining again', fields);
        return;
      }
      this.#waiters.push(...waiters);
      this.#failures += 1;
      if (mendable.has(error.code)) {
        logger.warn('kafka-adapter: progress could not be committed; trying again', { ...fields, error });
        return;
      }
      for (const { reject } of this.#waiters.splice(0)) reject(error);
      onFault(error);
    }
  }

  #again(tracker: Tracker): void {
    tracker.dirty = true;
    this.#dirty.add(tracker);
  }
}

const lostError = new Error('kafka-adapter: the partition is gone');
