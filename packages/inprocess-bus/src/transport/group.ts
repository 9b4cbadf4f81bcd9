import type { Delivery, StartPosition } from '@bento-bus/core';
import type { Clock } from '@bento-bus/core/adapter';
import { Cursor } from './cursor.ts';
import type { CursorOwner, Taken } from './taken.ts';
import type { Topic } from './topic.ts';

/** A member as its group sees it. */
export interface Member {
  readonly id: string;
  readonly topics: ReadonlySet<string>;
  readonly ordering: 'key' | 'none';
  /** False once it closes. */
  readonly accepting: boolean;
  /** Messages that it has taken and not finished. */
  readonly inHand: number;
  /** These. */
  taken(): Iterable<Taken>;
  held(): Iterable<{ readonly delivery: Delivery; readonly token: Taken }>;
  /** Undefined: there is room for this one; else resolves when there may be. */
  room(taken: Taken): Promise<void> | undefined;
  /** False: it does not take it. */
  push(taken: Taken): boolean;
}

/**
 * A consumer group: members share the messages of its topics, all of one key go to one member as long as it has any in hand. Messages
 * are handed out in the order of their topic; one that cannot be handed out yet holds back what stands behind it in that topic.
 */
export class Group implements CursorOwner {
  readonly name: string;
  readonly #clock: Clock;
  readonly #cursors = new Map<string, Cursor>();
  readonly #members: Member[] = [];
  /** Which member has how many messages of a key in hand. */
  readonly #owners = new Map<string, { readonly member: Member; count: number }>();
  /** Members whose room is waited for. */
  readonly #awaited = new Set<Member>();
  /** A message waits until its key has left a member that takes no more. */
  #blocked = false;
  #turn = 0;
  #joined = 0;
  #pumping = false;
  #again = false;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  /** The group's place in a topic; where there is none yet, at `startPosition`. */
  cursor(topic: Topic, startPosition: StartPosition): Cursor {
    let cursor = this.#cursors.get(topic.name);
    if (cursor === undefined) {
      cursor = new Cursor(topic, this, startPosition, this.#clock);
      this.#cursors.set(topic.name, cursor);
      topic.cursors.add(cursor);
    }
    return cursor;
  }

  /** The group's place in a topic, if it has one. */
  find(topic: string): Cursor | undefined {
    return this.#cursors.get(topic);
  }

  /** It has no place in the topic any more. */
  drop(topic: string): void {
    const cursor = this.#cursors.get(topic);
    if (cursor === undefined) return;
    cursor.close();
    this.#cursors.delete(topic);
    cursor.topic.cursors.delete(cursor);
    cursor.topic.freed();
  }

  /** Members that read the topic, or have messages of it in hand. */
  membersOn(topic: string): readonly Member[] {
    return this.#members.filter((member) => member.topics.has(topic));
  }

  newMemberId(): string {
    this.#joined += 1;
    return `${this.name}-${this.#joined}`;
  }

  /** Messages of the topics that are read, not finished. */
  get backlog(): number {
    const waiting = [...this.#cursors.values()].filter((cursor) => cursor.isRead).map((cursor) => cursor.backlog);
    return [...waiting, ...this.#members.map((member) => member.inHand)].reduce((sum, count) => sum + count, 0);
  }

  *held(): Iterable<{ readonly delivery: Delivery; readonly token: Taken }> {
    for (const member of this.#members) yield* member.held();
  }

  reads(topic: string): boolean {
    return this.#members.some((member) => member.accepting && member.topics.has(topic));
  }

  join(member: Member): void {
    this.#members.push(member);
    this.pump();
  }

  /** The member takes no more; its topics hold nothing back for it any longer. */
  retire(member: Member): void {
    for (const topic of member.topics) this.#cursors.get(topic)?.topic.freed();
  }

  /** The member is gone; what it has not acknowledged comes again. */
  leave(member: Member, unacknowledged: readonly Taken[]): void {
    this.#members.splice(this.#members.indexOf(member), 1);
    for (const taken of unacknowledged) {
      this.#disown(taken);
      taken.cursor.giveBack(taken);
    }
    this.pump();
  }

  /** The member has handled it. */
  release(taken: Taken): void {
    if (this.#disown(taken) && this.#blocked) this.pump();
  }

  /** Hands out what can be handed out, the topics by turns. */
  pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#again) {
      this.#again = false;
      this.#blocked = false;
      for (let moved = true; moved; ) {
        moved = false;
        for (const cursor of this.#cursors.values()) {
          const taken = cursor.isRead ? cursor.peek() : undefined;
          if (taken === undefined || !this.#handOut(taken)) continue;
          cursor.take();
          moved = true;
        }
      }
    }
    this.#pumping = false;
  }

  close(): void {
    for (const cursor of this.#cursors.values()) cursor.close();
  }

  #handOut(taken: Taken): boolean {
    const { topic } = taken.delivery;
    const owner = this.#owners.get(keyOf(taken))?.member;
    if (owner !== undefined) {
      if (owner.accepting && owner.topics.has(topic)) return this.#handTo(owner, taken);
      this.#blocked = true;
      return false;
    }
    for (let left = this.#members.length; left > 0; left -= 1) {
      this.#turn = (this.#turn + 1) % this.#members.length;
      const member = this.#members[this.#turn] as Member;
      if (member.accepting && member.topics.has(topic) && this.#handTo(member, taken)) return true;
    }
    return false;
  }

  #handTo(member: Member, taken: Taken): boolean {
    const room = member.room(taken);
    if (room === undefined) {
      if (!member.push(taken)) return false;
      this.#own(member, taken);
      return true;
    }
    if (!this.#awaited.has(member)) void this.#await(member, room);
    return false;
  }

  async #await(member: Member, room: Promise<void>): Promise<void> {
    this.#awaited.add(member);
    await room;
    this.#awaited.delete(member);
    this.pump();
  }

  #own(member: Member, taken: Taken): void {
    if (member.ordering === 'none') return;
    const key = keyOf(taken);
    const owner = this.#owners.get(key);
    if (owner === undefined) this.#owners.set(key, { member, count: 1 });
    else owner.count += 1;
  }

  /** True when its key is free. */
  #disown(taken: Taken): boolean {
    const key = keyOf(taken);
    const owner = this.#owners.get(key);
    if (owner === undefined) return true;
    owner.count -= 1;
    return owner.count === 0 && this.#owners.delete(key);
  }
}

const keyOf = ({ entry: { message } }: Taken): string => message.key ?? message.id;
