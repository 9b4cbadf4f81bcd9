import type { StartPosition } from '@bento-bus/core';
import type { HarnessRecord } from './records.ts';

/** What one group is to handle of one topic. Outlives its members, as the group's progress does. */
export class Reader {
  readonly group: string;
  readonly topic: string;
  /** Members that read it now. */
  members = 0;
  /** What is published reaches the group from now on. */
  joined: boolean;
  /** Published and not acknowledged, by id; copies may share one. */
  readonly #due = new Map<string, HarnessRecord[]>();
  /** Positions acknowledged: a message that comes again afterwards pays for no other. */
  readonly #acknowledged = new Set<string>();

  constructor(group: string, topic: string, start: StartPosition, earlier: readonly HarnessRecord[]) {
    this.group = group;
    this.topic = topic;
    this.joined = start !== 'latest';
    for (const record of earlier)
      if (start === 'earliest' || (typeof start === 'object' && record.message.time >= start.time)) this.#add(record);
  }

  get isOpen(): boolean {
    return this.members > 0;
  }

  get isDone(): boolean {
    return this.#due.size === 0;
  }

  *due(): Generator<HarnessRecord> {
    for (const records of this.#due.values()) yield* records;
  }

  isDue(id: string): boolean {
    return this.#due.has(id);
  }

  expect(record: HarnessRecord): void {
    if (this.joined) this.#add(record);
  }

  /** It was not stored after all. */
  unexpect(record: HarnessRecord): void {
    const records = this.#due.get(record.id)?.filter((one) => one !== record);
    this.#set(record.id, records ?? []);
  }

  acknowledge(id: string, position: string): void {
    if (this.#acknowledged.has(position)) return;
    this.#acknowledged.add(position);
    this.#set(id, this.#due.get(id)?.slice(1) ?? []);
  }

  reset(): void {
    this.#due.clear();
    this.#acknowledged.clear();
  }

  #add(record: HarnessRecord): void {
    this.#set(record.id, [...(this.#due.get(record.id) ?? []), record]);
  }

  #set(id: string, records: HarnessRecord[]): void {
    if (records.length === 0) this.#due.delete(id);
    else this.#due.set(id, records);
  }
}
