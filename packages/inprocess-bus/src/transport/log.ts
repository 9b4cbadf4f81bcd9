import { BentoError, FencedError, type Position } from '@bento-bus/core';
import { type Deferred, deferred } from '@bento-bus/core/adapter';
import type { Cursor } from './cursor.ts';
import { GroupProgress, type ProgressKeeping } from './group-progress.ts';
import type { LogPublisher } from './log-publisher.ts';
import type { Attachment } from './taken.ts';
import type { HeldRange } from './topic.ts';
import { beginAfter } from './topic-progress.ts';

/** What opening a log needs to know. */
export interface Opening {
  readonly topics: readonly string[];
  readonly head: Position | undefined;
  /** The groups that read a topic now, or for which it is kept. */
  readonly readers: (topic: string) => readonly Cursor[];
}

/**
 * One log as this process sees it: what its topics hold of it, who publishes it, and how far each group is. A group's progress is
 * stored; the items are not, since the log has them. So opening finds the place from which they must be published again.
 */
export class Log {
  readonly name: string;
  /** What each topic holds, also topics that are no longer published to. */
  readonly held: Map<string, HeldRange> = new Map();
  /** Everything at or before it is published. */
  checkpoint: Position = '';
  #opened = false;
  readonly #keeping: ProgressKeeping;
  readonly #groups = new Map<string, GroupProgress>();
  #holder: LogPublisher | undefined;
  #released: Deferred<void> | undefined;
  /** Openings and attachments come one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, keeping: ProgressKeeping) {
    this.name = name;
    this.#keeping = keeping;
  }

  /** Fences who holds the log, and finds where `holder` must begin. */
  open(holder: LogPublisher, opening: Opening): Promise<Position> {
    this.#holder?.end(
      new FencedError(
        `inprocess-bus: cannot publish log "${this.name}": it was opened again. Stop; whoever opened it last publishes it.`,
      ),
    );
    this.#holder = holder;
    return this.#exclusively(() => this.#open(opening));
  }

  /** Undefined: nobody holds the log; else resolves when that may be so: ask again. */
  vacancy(): Promise<void> | undefined {
    return this.#holder === undefined ? undefined : (this.#released ??= deferred()).promise;
  }

  /** The holder has ended. */
  release(holder: LogPublisher): void {
    if (this.#holder !== holder) return;
    this.#holder = undefined;
    this.#released?.resolve();
    this.#released = undefined;
  }

  /**
   * Ties a cursor that is about to be read to the group's progress, for a log that was opened before. A `CONFIGURATION` error when the
   * topic no longer holds what the group needs and the log is being published; when it is not, the next opening begins further back.
   */
  join(cursor: Cursor): Promise<void> {
    return this.#exclusively(async () => {
      const held = this.held.get(cursor.topic.name);
      if (held === undefined || !this.#opened || cursor.isRead) return;
      const { progress, group } = await this.#attach(cursor, held, later(this.checkpoint, held.to));
      const covered = held.from !== undefined && progress.seen >= held.from;
      if (!covered && this.#holder !== undefined) {
        cursor.attachments.delete(held);
        throw new BentoError(
          'CONFIGURATION',
          `inprocess-bus: cannot subscribe group "${cursor.group}" to "${cursor.topic.name}": it has yet to handle items of log "${this.name}" that are no longer in memory. Subscribe before the relay is started.`,
        );
      }
      cursor.stale = !covered;
      await group.saveFirst(held.topic);
    });
  }

  /**
   * The group of a cursor that nobody reads goes on with the items from this offset of the topic; undefined: it has no progress any more.
   * Items that are not in memory count as finished. Resolves when that is stored.
   */
  move(cursor: Cursor, offset: number | undefined): Promise<void> {
    return this.#exclusively(async () => {
      const held = this.held.get(cursor.topic.name);
      if (held === undefined || !this.#opened) return;
      const group = await this.#progressOf(cursor.group);
      const before = offset === undefined ? undefined : beginAfter(cursor.topic.lastBefore(offset, held));
      group.replace(held.topic, before);
      cursor.attachments.delete(held);
      cursor.stale = false;
      if (before !== undefined) await this.#attach(cursor, held, undefined);
      await group.save();
    });
  }

  /** The topic was deleted: nothing of it is in memory, no group has progress in it. */
  forget(topic: string): Promise<void> {
    return this.#exclusively(async () => {
      const held = this.held.get(topic);
      if (held === undefined) return;
      if (held.from !== undefined) held.from = later(this.checkpoint, held.to);
      for (const group of this.#groups.values()) group.replace(topic, undefined);
      await Promise.all(Array.from(this.#groups.values(), (group) => group.save()));
    });
  }

  /** Stores all progress. */
  async save(): Promise<void> {
    await Promise.all(Array.from(this.#groups.values(), (group) => group.save()));
  }

  /** Nothing more is published: the holder, also where it waits, fails with `reason`. */
  end(reason: BentoError): void {
    this.#holder?.end(reason);
  }

  /** Stores all progress and asks a failing store only once more. */
  async close(): Promise<void> {
    await this.#exclusively(() => Promise.all(Array.from(this.#groups.values(), (group) => group.close())));
  }

  async #open({ topics, head, readers }: Opening): Promise<Position> {
    const needs: Position[] = [];
    const uncovered: { readonly cursor: Cursor; readonly held: HeldRange }[] = [];
    const saves: Promise<void>[] = [];
    const ranges = topics.map((topic) => this.held.get(topic) ?? { topic, from: undefined, to: '' });
    for (const held of ranges) {
      this.held.set(held.topic, held);
      for (const cursor of readers(held.topic)) {
        const { progress, group } = await this.#attach(cursor, held, head);
        saves.push(group.saveFirst(held.topic));
        if (held.from !== undefined && progress.seen >= held.from && !cursor.stale) continue;
        needs.push(progress.seen);
        uncovered.push({ cursor, held });
      }
    }
    await Promise.all(saves);
    // What is in memory need not come again; at first nothing is, and what no group reads nobody needs.
    if (this.#opened) needs.push(this.checkpoint);
    const resumeAfter = needs.length === 0 ? (head ?? '') : needs.reduce(earlier);
    for (const { cursor, held } of uncovered) {
      // Items after a gap must not come before those that fill it: they all come again.
      const attachment = cursor.attachments.get(held) as Attachment;
      attachment.begin = cursor.topic.end;
      attachment.progress.passed = undefined;
      cursor.stale = false;
      cursor.wake();
    }
    for (const held of ranges) {
      held.from ??= resumeAfter;
      held.to = resumeAfter;
    }
    this.checkpoint = resumeAfter;
    this.#opened = true;
    return resumeAfter;
  }

  /** Progress of the cursor's group; a group without any begins by its start position, `latest` being the newest item for it. */
  async #attach(cursor: Cursor, held: HeldRange, latest: Position | undefined) {
    const known = cursor.attachments.get(held);
    if (known !== undefined) return known;
    const { group: name, startPosition } = cursor;
    const group = await this.#progressOf(name);
    const progress = group.in(held.topic, () => {
      if (startPosition === 'earliest') return beginAfter('');
      if (startPosition !== 'latest') return beginAfter('', startPosition.time);
      if (latest !== undefined) return beginAfter(latest);
      throw new BentoError(
        'CONFIGURATION',
        `inprocess-bus: cannot open log "${this.name}": group "${name}" begins at the latest item, and where that is was not said. Open it with the log's head.`,
      );
    });
    progress.beginSession({
      ...cursor.guarding,
      logger: this.#keeping.logger,
      fields: { group: name, topic: held.topic, log: this.name },
      store: () => group.save(),
      held: () => cursor.held(held),
    });
    const attachment = { progress, group, begin: 0 };
    cursor.attachments.set(held, attachment);
    return attachment;
  }

  async #progressOf(name: string): Promise<GroupProgress> {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = await GroupProgress.load(this.name, name, this.#keeping);
      this.#groups.set(name, group);
    }
    return group;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

const later = (a: Position, b: Position): Position => (a > b ? a : b);
const earlier = (a: Position, b: Position): Position => (a < b ? a : b);
