import type { Delivery, Message, StartPosition } from '@bento-bus/core';
import { isInterruption } from '@bento-bus/core/adapter';
import { handOf, type InHand, type Pending, pendingOf } from './pending.ts';
import { Reader } from './reader.ts';
import type { HarnessRecord } from './records.ts';

/** Headers of copies, as @bento-bus/dlq writes them. */
const copyHeaders = { attempts: 'bento-attempts', error: 'bento-error' } as const;

/** Everything that happened on a transport, and what is to happen. */
export class Ledger {
  published: HarnessRecord[] = [];
  consumed: HarnessRecord[] = [];
  retried: HarnessRecord[] = [];
  deadLettered: HarnessRecord[] = [];
  failed: HarnessRecord[] = [];
  /** Changes with whatever happens. */
  version = 0;
  /** The transport's time, once a subscription has told it. */
  now: () => number;
  /** A subscription that ended by itself. */
  fault: { readonly group: string; readonly error: unknown } | undefined;
  /** Publishes under way. */
  #sending = 0;
  readonly #readers = new Map<string, Reader>();
  readonly #byTopic = new Map<string, Reader[]>();
  readonly #inHand = new Map<string, InHand>();
  readonly #retryTopics = new Map<string, string>();
  readonly #deadLetterTopics = new Map<string, string>();

  constructor(now: () => number) {
    this.now = now;
  }

  /** Something is being done that needs no time to pass. */
  get isBusy(): boolean {
    if (this.#sending > 0) return true;
    for (const { reader, working } of this.#inHand.values()) if (working && reader.isOpen) return true;
    return false;
  }

  get isDone(): boolean {
    if (this.#sending > 0) return false;
    for (const reader of this.#readers.values()) if (reader.isOpen && !reader.isDone) return false;
    for (const { reader } of this.#inHand.values()) if (reader.isOpen) return false;
    return true;
  }

  pending(): Pending[] {
    const hands = [...this.#inHand.values()].filter(({ reader }) => reader.isOpen);
    const all: Pending[] = [];
    for (const reader of this.#readers.values()) {
      if (!reader.isOpen) continue;
      for (const record of reader.due()) {
        const hand = hands.find((one) => one.reader === reader && one.delivery.message.id === record.id);
        all.push(pendingOf(record, reader, hand));
      }
    }
    // Published by others.
    for (const hand of hands) {
      const { reader, delivery } = hand;
      if (!reader.isDue(delivery.message.id)) all.push(pendingOf(this.#record(delivery), reader, hand));
    }
    return all;
  }

  /** A member of the group begins to read a topic. */
  read(
    { topic, origin, group }: { readonly topic: string; readonly origin: string; readonly group: string },
    start: StartPosition,
  ): Reader {
    this.#retryTopics.set(`${origin}-${group}-RETRY`, group);
    this.#deadLetterTopics.set(`${origin}-${group}-DLQ`, group);
    this.version += 1;
    const key = `${topic}\n${group}`;
    const known = this.#readers.get(key);
    // What middleware consumes beside a topic is kept for the group from the beginning.
    const from = topic === origin ? start : 'earliest';
    const earlier = this.published.filter((record) => record.topic === topic);
    const reader = known ?? new Reader(group, topic, from, earlier);
    if (known === undefined) {
      this.#readers.set(key, reader);
      this.#byTopic.set(topic, [...(this.#byTopic.get(topic) ?? []), reader]);
    }
    reader.members += 1;
    return reader;
  }

  /** Its subscription stands. */
  joined(readers: readonly Reader[]): void {
    for (const reader of readers) reader.joined = true;
  }

  left(readers: readonly Reader[]): void {
    this.version += 1;
    for (const reader of readers) {
      reader.members -= 1;
      if (reader.isOpen) continue;
      for (const [key, hand] of this.#inHand) if (hand.reader === reader) this.#inHand.delete(key);
    }
  }

  publishing(topic: string, messages: readonly Message[]): readonly HarnessRecord[] {
    this.version += 1;
    this.#sending += 1;
    const retriedBy = this.#retryTopics.get(topic);
    const givenUpBy = this.#deadLetterTopics.get(topic);
    const records = messages.map((message) => this.#published(topic, message, retriedBy ?? givenUpBy));
    this.published.push(...records);
    if (retriedBy !== undefined) this.retried.push(...records);
    if (givenUpBy !== undefined) this.deadLettered.push(...records);
    for (const reader of this.#byTopic.get(topic) ?? []) for (const record of records) reader.expect(record);
    return records;
  }

  /** `lost`: what was not stored. */
  sent(topic: string, lost: readonly HarnessRecord[] = []): void {
    this.version += 1;
    this.#sending -= 1;
    if (lost.length === 0) return;
    const gone = new Set(lost);
    const stays = (record: HarnessRecord): boolean => !gone.has(record);
    this.published = this.published.filter(stays);
    this.retried = this.retried.filter(stays);
    this.deadLettered = this.deadLettered.filter(stays);
    for (const reader of this.#byTopic.get(topic) ?? []) for (const record of lost) reader.unexpect(record);
  }

  started(reader: Reader, delivery: Delivery): void {
    this.version += 1;
    const key = keyOf(reader, delivery);
    const before = this.#inHand.get(key);
    if (before?.failure !== undefined) this.retried.push(before.failure);
    this.#inHand.set(key, handOf(reader, delivery, before?.error));
  }

  /** The handler itself is called; by middleware that tries again perhaps not for the first time. */
  calls(reader: Reader, delivery: Delivery): void {
    const hand = this.#inHand.get(keyOf(reader, delivery));
    if (hand?.failure === undefined) return;
    this.retried.push(hand.failure);
    hand.failure = undefined;
  }

  /** The handler itself has succeeded. */
  handled(reader: Reader, delivery: Delivery): void {
    this.version += 1;
    this.consumed.push({ ...this.#record(delivery), group: reader.group, attempt: delivery.attempt });
  }

  /** The handler itself has failed. */
  threw(reader: Reader, delivery: Delivery, error: unknown): void {
    this.version += 1;
    const hand = this.#inHand.get(keyOf(reader, delivery));
    if (hand !== undefined) hand.error = error;
    if (isInterruption(error)) return;
    const failure = { ...this.#record(delivery), group: reader.group, attempt: delivery.attempt, error };
    this.failed.push(failure);
    if (hand === undefined) return;
    hand.failure = failure;
    hand.attempts = delivery.attempt;
  }

  /** Comes again, or is given to the hook for exhausted ones. */
  rejected(reader: Reader, delivery: Delivery, error: unknown): void {
    this.version += 1;
    const hand = this.#inHand.get(keyOf(reader, delivery));
    // Not the handler, but what is around it.
    if (hand !== undefined && hand.failure === undefined) this.threw(reader, delivery, error);
    if (hand !== undefined) hand.working = false;
  }

  /** The hook for exhausted messages has it. */
  taking(reader: Reader, delivery: Delivery): void {
    this.version += 1;
    const key = keyOf(reader, delivery);
    const hand = this.#inHand.get(key);
    if (hand !== undefined) hand.working = true;
    else this.#inHand.set(key, handOf(reader, delivery));
  }

  /** The hook has not taken it. */
  kept(reader: Reader, delivery: Delivery, error: unknown): void {
    this.version += 1;
    const hand = this.#inHand.get(keyOf(reader, delivery));
    if (hand !== undefined) Object.assign(hand, { working: false, error });
  }

  acknowledged(reader: Reader, delivery: Delivery): void {
    this.version += 1;
    this.#inHand.delete(keyOf(reader, delivery));
    reader.acknowledge(delivery.message.id, delivery.position);
  }

  reset(): void {
    this.version += 1;
    this.published = [];
    this.consumed = [];
    this.retried = [];
    this.deadLettered = [];
    this.failed = [];
    this.fault = undefined;
    this.#inHand.clear();
    for (const reader of this.#readers.values()) reader.reset();
  }

  #record({ topic, message }: { readonly topic: string; readonly message: Message }): HarnessRecord {
    const { id, type, key } = message;
    return { topic, type, id, message, at: this.now(), ...(key !== undefined && { key }) };
  }

  /** `group`: the message is a copy for it. */
  #published(topic: string, message: Message, group: string | undefined): HarnessRecord {
    const record = this.#record({ topic, message });
    if (group === undefined) return record;
    const { [copyHeaders.attempts]: attempts, [copyHeaders.error]: error } = message.headers;
    return {
      ...record,
      group,
      ...(attempts !== undefined && { attempt: Number(attempts) }),
      ...(error !== undefined && { error }),
    };
  }
}

const keyOf = ({ topic, group }: Reader, { position }: Delivery): string => `${topic}\n${group}\n${position}`;
