import type { BentoError, Delivery, Position, StartPosition } from '@bento-bus/core';
import { type Clock, type CrashGuard, createHeap, type Unfinished } from '@bento-bus/core/adapter';
import { failingMs, type GroupProgress } from './group-progress.ts';
import type { Entry, HeldRange, Topic } from './topic.ts';
import type { Guarding, TopicProgress } from './topic-progress.ts';

/** A message in the hands of one group. */
export interface Taken {
  readonly entry: Entry;
  readonly cursor: Cursor;
  /** For an item of a log. */
  readonly item: Unfinished<Position> | undefined;
  /** It has killed the process too often: it must not be handled. */
  readonly condemned: BentoError | undefined;
  /** As it is handed over next. */
  delivery: Delivery;
  /** Highest attempt that a handler has started; 0: none. */
  started: number;
}

/** Progress of the group in a log, as far as it concerns this topic. */
export interface Attachment {
  readonly progress: TopicProgress;
  readonly group: GroupProgress;
  /** Items below this offset are passed over: the log is published again from further back. */
  begin: number;
}

/** What a cursor needs of its group. */
export interface CursorOwner {
  readonly name: string;
  /** A member at work reads this topic. */
  reads(topic: string): boolean;
  /** What fails at present and holds its lane. */
  held(): Iterable<{ readonly delivery: Delivery; readonly token: Taken }>;
  pump(): void;
}

/**
 * How far one group has come in one topic. Outlives the group's members: who subscribes again goes on here. What was read and not yet
 * handed over, or came back unacknowledged, waits in `#back` by its offset; what is not due yet waits apart and blocks nothing.
 */
export class Cursor {
  readonly topic: Topic;
  /** Somebody counts on this group before it has its first member: nothing is dropped. */
  pinned = false;
  /** The topic lacks items that the group needs; nothing is read until the log is opened again and publishes them. */
  stale = false;
  /** As the latest member wants it. */
  guarding: Pick<Guarding, 'window' | 'maxCrashes'> = { window: 1_000, maxCrashes: 3 };
  /** Offset of the next message to read. */
  next: number;
  readonly attachments: Map<HeldRange, Attachment> = new Map();
  /** Where the group begins in a log in which it has no progress. */
  readonly startPosition: StartPosition;
  readonly #owner: CursorOwner;
  /** Plain messages before this offset are from before the group began. */
  readonly #begin: number;
  readonly #clock: Clock;
  readonly #back = createHeap<Taken>((a, b) => a.entry.offset < b.entry.offset);
  readonly #delayed = createHeap<Taken>((a, b) => a.entry.due < b.entry.due);
  #timer: { readonly due: number; readonly cancel: () => void } | undefined;

  constructor(topic: Topic, owner: CursorOwner, startPosition: StartPosition, clock: Clock) {
    this.topic = topic;
    this.startPosition = startPosition;
    this.#owner = owner;
    this.#clock = clock;
    this.#begin =
      startPosition === 'earliest'
        ? topic.base
        : startPosition === 'latest'
          ? topic.end
          : topic.offsetAt(startPosition.time);
    // Items of a log that are kept may be needed wherever the group begins with plain messages.
    this.next = topic.base;
  }

  get group(): string {
    return this.#owner.name;
  }

  /** A member at work reads it. */
  get isRead(): boolean {
    return this.#owner.reads(this.topic.name);
  }

  /** The topic drops nothing that this group has yet to read. */
  get live(): boolean {
    return this.pinned || this.isRead;
  }

  /** Messages kept for this group and not handed over. */
  get backlog(): number {
    return this.topic.end - Math.max(this.next, this.topic.base) + this.#back.size + this.#delayed.size;
  }

  /** Messages that were dropped before a member came back for them. */
  get missed(): number {
    return Math.max(0, this.topic.base - this.next);
  }

  wake(): void {
    this.#owner.pump();
  }

  /** The next to hand over. */
  peek(): Taken | undefined {
    if (this.stale) return undefined;
    if (this.#back.size === 0) this.#read();
    return this.#back.peek();
  }

  /** Hands over what {@link peek} showed. */
  take(): void {
    this.#back.pop();
    this.topic.freed();
  }

  /** Came back unacknowledged. */
  giveBack(taken: Taken): void {
    const { started } = taken;
    if (started > 0) taken.delivery = { ...taken.delivery, attempt: started + 1 };
    this.#back.push(taken);
  }

  /** Has been handled. A promise: resolves once that is stored. */
  finish({ entry: { held }, item }: Taken): Promise<void> | undefined {
    if (held === undefined || item === undefined) return undefined;
    const { progress, group } = this.attachments.get(held) as Attachment;
    progress.finish(item);
    return group.save();
  }

  /** Its handler is started again. */
  retried({ entry: { held } }: Taken): void {
    if (held !== undefined) this.attachments.get(held)?.group.saveLater(failingMs);
  }

  /** The guard of an item's source. */
  guardOf({ entry: { held } }: Taken): CrashGuard | undefined {
    return held && this.attachments.get(held)?.progress.guard;
  }

  /** Items of a log that fail at present. */
  *held(range: HeldRange): Iterable<readonly [Position, number]> {
    for (const { delivery, token } of this.#owner.held())
      if (token.cursor === this && token.entry.held === range) yield [delivery.position, delivery.attempt];
  }

  /** The log has passed `position` with nothing more for this topic. */
  pass(held: HeldRange, position: string): void {
    const attachment = this.attachments.get(held);
    if (attachment === undefined || this.stale) return;
    attachment.progress.passed = { offset: this.topic.end, position };
    this.#applyPassed();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #read(): void {
    const { topic } = this;
    let skipped = this.next < topic.base;
    if (skipped) this.next = topic.base;
    while (this.next < topic.end && this.#back.size === 0) {
      const entry = topic.at(this.next);
      this.next += 1;
      const taken = this.#admit(entry);
      if (taken === undefined) {
        skipped = true;
        continue;
      }
      if (entry.due > this.#clock.now()) {
        this.#delayed.push(taken);
        this.#setTimer();
      } else this.#back.push(taken);
    }
    if (this.next === topic.end) this.#applyPassed();
    if (skipped) topic.freed();
  }

  #admit(entry: Entry): Taken | undefined {
    const { held, position, offset, message } = entry;
    let item: Unfinished<Position> | undefined;
    let first: ReturnType<CrashGuard['take']> | undefined;
    if (held !== undefined && position !== undefined) {
      const attachment = this.attachments.get(held);
      if (attachment === undefined || offset < attachment.begin) return undefined;
      item = attachment.progress.offer(position, message.time);
      if (item === undefined) return undefined;
      first = attachment.progress.guard?.take(position);
    } else if (offset < this.#begin) return undefined;
    const { attempt = 1, condemned } = first ?? {};
    const delivery = { topic: this.topic.name, message, attempt, position: position ?? String(offset) };
    return { entry, cursor: this, item, condemned, delivery, started: 0 };
  }

  #applyPassed(): void {
    for (const { progress, group } of this.attachments.values()) {
      const { passed } = progress;
      if (passed === undefined || this.next < passed.offset) continue;
      progress.passed = undefined;
      progress.pass(passed.position);
      group.saveLater();
    }
  }

  /** One timer, for what falls due first. */
  #setTimer(): void {
    const due = this.#delayed.peek()?.entry.due;
    if (due === undefined || (this.#timer !== undefined && this.#timer.due <= due)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.schedule(() => {
      this.#timer = undefined;
      const now = this.#clock.now();
      for (
        let first = this.#delayed.peek();
        first !== undefined && first.entry.due <= now;
        first = this.#delayed.peek()
      ) {
        this.#delayed.pop();
        this.#back.push(first);
      }
      this.#setTimer();
      this.#owner.pump();
    }, due - this.#clock.now());
    this.#timer = { due, cancel };
  }
}
