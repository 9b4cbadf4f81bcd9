import {
  BentoError,
  type CheckpointedItem,
  type CheckpointedPublisher,
  type Closeable,
  type Position,
} from '@bento-bus/core';
import { checkLogItems, closeOnce, dueTimeOf } from '@bento-bus/core/adapter';
import type { Log, Opening } from './log.ts';
import { storedMessage } from './stored-message.ts';
import type { Draft, HeldRange, Topic } from './topic.ts';

/** The one publisher of a log in this process. It ends once: by close, by its signal, or because the log was opened again. */
export class LogPublisher implements CheckpointedPublisher {
  resumeAfter: Position = '';
  readonly #closing: Closeable;
  readonly #log: Log;
  readonly #topic: (name: string) => Topic;
  readonly #topics: Set<string>;
  readonly #end = new AbortController();
  readonly #release: () => void;
  /** One publish after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    log: Log,
    topics: readonly string[],
    topic: (name: string) => Topic,
    signal: AbortSignal | undefined,
  ) {
    this.#log = log;
    this.#topic = topic;
    this.#topics = new Set(topics);
    const onAbort = (): void =>
      this.end(new BentoError('ABORTED', `${this.#what()}: it was aborted.`, false, { cause: signal?.reason }));
    this.#release = () => {
      signal?.removeEventListener('abort', onAbort);
      log.release(this);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    this.#closing = closeOnce(async () => {
      this.end(new BentoError('CLOSED', `${this.#what()}: its publisher is closed. Open the log again.`));
      await this.#last;
      await log.save();
    });
  }

  static async open(
    log: Log,
    opening: Opening & { readonly signal: AbortSignal | undefined; readonly onStandby: (() => void) | undefined },
    topic: (name: string) => Topic,
  ): Promise<LogPublisher> {
    const publisher = new LogPublisher(log, opening.topics, topic, opening.signal);
    try {
      let tell = opening.onStandby;
      if (tell !== undefined)
        // From the last look to the opening nothing is waited for: another one would come in between.
        for (let vacancy = publisher.#vacancy(); vacancy !== undefined; vacancy = publisher.#vacancy()) {
          tell();
          tell = () => {};
          await vacancy;
        }
      publisher.#end.signal.throwIfAborted();
      publisher.resumeAfter = await log.open(publisher, opening);
      publisher.#end.signal.throwIfAborted();
      return publisher;
    } catch (error) {
      publisher.#release();
      throw error;
    }
  }

  /** Undefined: nobody holds the log, or this publisher has ended; else resolves when that may be so. */
  #vacancy(): Promise<void> | undefined {
    const { signal } = this.#end;
    const vacancy = this.#log.vacancy();
    if (vacancy === undefined || signal.aborted) return undefined;
    const ended = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return Promise.race([vacancy, ended]);
  }

  /** Every publish, also one that waits, rejects with `reason`; the first reason counts. */
  end(reason: BentoError): void {
    this.#release();
    this.#end.abort(reason);
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async publish(items: readonly CheckpointedItem[], through: Position): Promise<void> {
    const drafts = this.#check(items, through);
    const published = this.#last.then(() => this.#publish(drafts, through));
    this.#last = published.catch(() => {});
    return published;
  }

  async #publish(all: readonly LogDraft[], through: Position): Promise<void> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    const log = this.#log;
    // A publish that was cut off has stored some above the checkpoint.
    const drafts = all.filter(({ position, held }) => position > log.checkpoint && position > held.to);
    // Runs of one topic are stored at once; the order of the log is kept across topics.
    for (let from = 0; from < drafts.length; ) {
      const { held } = drafts[from] as LogDraft;
      let to = from + 1;
      while (drafts[to]?.held === held) to += 1;
      await this.#topic(held.topic).store(drafts.slice(from, to), { signal });
      signal.throwIfAborted();
      from = to;
    }
    if (through <= log.checkpoint) return;
    log.checkpoint = through;
    for (const name of this.#topics) {
      const held = log.held.get(name) as HeldRange;
      for (const cursor of this.#topic(name).cursors) cursor.pass(held, through);
    }
  }

  /** Copies of the items. Faults are found before anything is stored. */
  #check(items: readonly CheckpointedItem[], through: Position): LogDraft[] {
    checkLogItems(this.#what(), this.#topics, items, through);
    return items.map(({ topic, message, position }) => ({
      message: storedMessage(topic, message),
      due: dueTimeOf('inprocess-bus', topic, message) ?? 0,
      held: this.#log.held.get(topic) as HeldRange,
      position,
    }));
  }

  #what(): string {
    return `inprocess-bus: cannot publish log "${this.#log.name}"`;
  }
}

type LogDraft = Draft & { readonly held: HeldRange; readonly position: Position };
