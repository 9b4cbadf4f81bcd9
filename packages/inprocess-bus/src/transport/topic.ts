import { type BentoError, type Message, type Position, PublishError } from '@bento-bus/core';
import type { Clock } from '@bento-bus/core/adapter';
import type { Cursor } from './cursor.ts';

/**
 * What a topic holds in memory of one log: each item after `from`, up to `to`. At `from` and below it items were dropped, or were never
 * published by this process; undefined: none was published yet.
 */
export interface HeldRange {
  readonly topic: string;
  from: Position | undefined;
  to: Position;
}

/** A message on its way into a topic. */
export interface Draft {
  readonly message: Message;
  /** Earliest delivery in epoch milliseconds; 0: at once. */
  readonly due: number;
  /** For an item of a log: of which one, and its position there. */
  readonly held?: HeldRange;
  readonly position?: Position;
}

/** A stored message. */
export interface Entry extends Draft {
  readonly offset: number;
  /** When it was stored. Epoch milliseconds. */
  readonly time: number;
}

/** What ends a publish that waits for room: the time-out, or its own end. */
export interface StoreLimits {
  /** Milliseconds; undefined: no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly drafts: readonly Draft[];
  next: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly release: () => void;
}

/** How far the start of the array may be empty before it is moved. */
const slack = 1_024;

/**
 * A log in memory. Keeps at most `retention` messages for replay, drops the oldest first, and drops nothing that a group at work has yet
 * to read: at that point storing waits.
 */
export class Topic {
  readonly name: string;
  readonly cursors: Set<Cursor> = new Set();
  /** Offset of the oldest message kept. */
  base = 0;
  readonly #retention: number;
  readonly #clock: Clock;
  /** The messages kept, from `#start` on. */
  readonly #entries: (Entry | undefined)[] = [];
  #start = 0;
  #lastTime = Number.NEGATIVE_INFINITY;
  readonly #waiting: Waiting[] = [];
  #busy = false;

  constructor(name: string, retention: number, clock: Clock) {
    this.name = name;
    this.#retention = retention;
    this.#clock = clock;
  }

  /** Offset of the next message. */
  get end(): number {
    return this.base + this.#entries.length - this.#start;
  }

  /** The message at an offset that is kept. */
  at(offset: number): Entry {
    return this.#entries[this.#start + offset - this.base] as Entry;
  }

  /** Offset of the first message kept that was stored at `time` or later. */
  offsetAt(time: number): number {
    let low = this.base;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle).time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The last position of a log before an offset; where none is kept, up to which they were dropped. */
  lastBefore(offset: number, range: HeldRange): Position {
    let last = range.from ?? '';
    for (let at = this.base; at < offset; at += 1) {
      const { held, position = '' } = this.at(at);
      if (held === range && position > last) last = position;
    }
    return last;
  }

  /** Groups that are so far behind that publishing waits for them. */
  get fullFor(): readonly Cursor[] {
    return [...this.cursors].filter((cursor) => cursor.live && cursor.backlog >= this.#retention);
  }

  /** Stores in order, behind what waits already. Undefined: done. */
  store(drafts: readonly Draft[], limits: StoreLimits): Promise<void> | undefined {
    const next = this.#waiting.length === 0 ? this.#append(drafts, 0) : 0;
    if (next === drafts.length) return undefined;
    return new Promise<void>((resolve, reject) => {
      const { timeoutMs, signal } = limits;
      const fail = (error: unknown): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        waiting.release();
        reject(error);
        // What waited behind may fit where this one did not.
        this.freed();
      };
      const onAbort = (): void => fail(signal?.reason);
      const cancel =
        timeoutMs === undefined
          ? undefined
          : this.#clock.schedule(() => fail(this.#full(waiting, timeoutMs)), timeoutMs);
      const release = (): void => {
        cancel?.();
        signal?.removeEventListener('abort', onAbort);
      };
      const waiting: Waiting = { drafts, next, resolve, reject, release };
      this.#waiting.push(waiting);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** There may be room again: a cursor has moved or its group is no longer at work. */
  freed(): void {
    if (this.#busy) return;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      first.next = this.#append(first.drafts, first.next);
      if (first.next < first.drafts.length) return;
      this.#waiting.shift();
      first.release();
      first.resolve();
    }
  }

  close(error: BentoError): void {
    for (const { reject, release } of this.#waiting.splice(0)) {
      release();
      reject(error);
    }
  }

  #append(drafts: readonly Draft[], from: number): number {
    let next = from;
    this.#busy = true;
    for (let room = this.#room(); room > 0 && next < drafts.length; room = this.#room()) {
      const until = Math.min(drafts.length, next + room);
      while (next < until) this.#push(drafts[next++] as Draft);
      for (const cursor of this.cursors) cursor.wake();
    }
    this.#busy = false;
    return next;
  }

  #room(): number {
    let room = Number.POSITIVE_INFINITY;
    for (const cursor of this.cursors) if (cursor.live) room = Math.min(room, this.#retention - cursor.backlog);
    return room;
  }

  #push({ message, due, held, position }: Draft): void {
    this.#lastTime = Math.max(this.#lastTime, this.#clock.now());
    const entry = { message, due, offset: this.end, time: this.#lastTime };
    if (held === undefined || position === undefined) this.#entries.push(entry);
    else {
      this.#entries.push({ ...entry, held, position });
      held.to = position;
    }
    if (this.end - this.base > this.#retention) this.#drop();
  }

  #drop(): void {
    const { held, position } = this.at(this.base);
    if (held?.from !== undefined && position !== undefined && position > held.from) held.from = position;
    this.#entries[this.#start] = undefined;
    this.#start += 1;
    this.base += 1;
    if (this.#start > slack && this.#start * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#start);
      this.#start = 0;
    }
  }

  #full(waiting: Waiting, timeoutMs: number): PublishError {
    const groups = this.fullFor.map((cursor) => `"${cursor.group}"`).join(', ');
    const failed = Array.from({ length: waiting.drafts.length - waiting.next }, (_, index) => waiting.next + index);
    return new PublishError(
      `inprocess-bus: cannot publish to "${this.name}": it was full for ${timeoutMs} ms, group ${groups} is ${this.#retention} messages behind. Try again later, or make the group faster; a handler must not wait for room in the topic it reads.`,
      failed,
      true,
    );
  }
}
