import type { Position, StartPosition } from '@bento-bus/core';
import { type Clock, type CrashGuard, createHeap, type Unfinished } from '@bento-bus/core/adapter';
import { Delayed, drained } from './delayed.ts';
import { failingMs } from './group-progress.ts';
import type { Attachment, CursorOwner, Taken } from './taken.ts';
import type { Entry, HeldRange, Topic } from './topic.ts';
import type { Guarding } from './topic-progress.ts';

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
  /** How many are about to read it, or are moving it: nobody else moves it meanwhile. */
  busy = 0;
  /** As the latest member wants it. */
  guarding: Pick<Guarding, 'window' | 'maxCrashes'> = { window: 1_000, maxCrashes: 3 };
  /** Offset of the next message to read. */
  next: number;
  readonly attachments: Map<HeldRange, Attachment> = new Map();
  /** Where the group begins in a log in which it has no progress. */
  readonly startPosition: StartPosition;
  readonly #owner: CursorOwner;
  /** Plain messages before this offset are from before the group began. */
  #begin: number;
  readonly #back = createHeap<Taken>((a, b) => a.entry.offset < b.entry.offset);
  readonly #delayed: Delayed;

  constructor(topic: Topic, owner: CursorOwner, startPosition: StartPosition, clock: Clock) {
    this.topic = topic;
    this.startPosition = startPosition;
    this.#owner = owner;
    this.#delayed = new Delayed(clock, (due) => {
      for (const taken of due) this.#back.push(taken);
      owner.pump();
    });
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

  /** All that the topic has for this group and no member has taken, in the order of the topic. */
  left(): Iterable<Entry> {
    return [...this.#refill(this.#drain()).map(({ entry }) => entry), ...this.#unread()];
  }

  /** Acknowledges up to `count` of {@link left}, unread. Resolves with how many they were, once that is stored. Only while nobody reads it. */
  async skip(count: number): Promise<number> {
    const waiting = this.#drain();
    const skipped = waiting.splice(0, count);
    this.#refill(waiting);
    this.next = Math.max(this.next, this.topic.base);
    for (; skipped.length < count && this.next < this.topic.end; this.next += 1) {
      const taken = this.#admit(this.topic.at(this.next));
      if (taken !== undefined) skipped.push(taken);
    }
    this.topic.freed();
    await Promise.all(skipped.map(async (taken) => this.finish(taken)));
    return skipped.length;
  }

  /** The group goes on at `offset`; where it is in logs is for these to say. Only while nobody reads it. */
  moveTo(offset: number): void {
    this.#drain();
    this.#begin = this.next = offset;
    this.topic.freed();
  }

  /** Passes over what is before the group's beginning, so that it is not kept for it. */
  passOver(): void {
    const [first] = this.#unread();
    if (this.#back.size + this.#delayed.size === 0) this.next = first?.offset ?? this.topic.end;
    this.topic.freed();
  }

  close(): void {
    this.#delayed.close();
  }

  #drain(): Taken[] {
    return [...drained(this.#back), ...this.#delayed.drain()].toSorted((a, b) => a.entry.offset - b.entry.offset);
  }

  #refill(waiting: readonly Taken[]): readonly Taken[] {
    for (const taken of waiting) if (!this.#delayed.add(taken)) this.#back.push(taken);
    return waiting;
  }

  /** What {@link #admit} will take, without taking it. A log that was published again may have an item twice. */
  *#unread(): Iterable<Entry> {
    const ahead = new Map<HeldRange, Position>();
    for (let offset = Math.max(this.next, this.topic.base); offset < this.topic.end; offset += 1) {
      const entry = this.topic.at(offset);
      const { held, position, message } = entry;
      if (held === undefined || position === undefined) {
        if (offset >= this.#begin) yield entry;
        continue;
      }
      const attachment = this.attachments.get(held);
      if (attachment === undefined || offset < attachment.begin || position <= (ahead.get(held) ?? '')) continue;
      ahead.set(held, position);
      if (attachment.progress.isNew(position, message.time)) yield entry;
    }
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
      if (entry.due === 0 || !this.#delayed.add(taken)) this.#back.push(taken);
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
}
