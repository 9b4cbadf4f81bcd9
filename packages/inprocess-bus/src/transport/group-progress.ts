import { BentoError, type CheckpointStore, type Logger } from '@bento-bus/core';
import { type Clock, fullJitter, parseProgress } from '@bento-bus/core/adapter';
import { type StoredProgress, TopicProgress } from './topic-progress.ts';

/** What progress is kept with. */
export interface ProgressKeeping {
  readonly store: CheckpointStore;
  /** What names begin with there: the tenant. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long progress that nobody waits for may stay in memory. */
const lazyMs = 1_000;

/** How long the attempts of what fails may stay in memory. */
export const failingMs = 200;

/** Progress of one group in one log: one value in the CheckpointStore, a {@link TopicProgress} for each topic. */
export class GroupProgress {
  readonly #name: string;
  readonly #keeping: ProgressKeeping;
  readonly #backoff = fullJitter();
  /** As found, also of topics that nobody reads now. */
  readonly #found: Map<string, StoredProgress>;
  readonly #topics = new Map<string, TopicProgress>();
  #written: string | undefined;
  /** Topics whose session of this process is stored. */
  readonly #begun = new Set<string>();
  #current: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #later: { readonly due: number; readonly cancel: () => void } | undefined;
  #closed = false;
  /** Ends the wait before a failing store is asked again. */
  #hurry: () => void = () => {};

  private constructor(name: string, keeping: ProgressKeeping, value: string | undefined) {
    this.#name = name;
    this.#keeping = keeping;
    this.#found = value === undefined ? new Map() : parse(name, value);
    this.#written = value;
  }

  static async load(log: string, group: string, keeping: ProgressKeeping): Promise<GroupProgress> {
    const name = `inprocess/${keeping.prefix}${encodeURIComponent(log)}/${encodeURIComponent(group)}`;
    return new GroupProgress(name, keeping, await keeping.store.read(name));
  }

  /** Progress in a topic; `first` says where it begins when there is none. */
  in(topic: string, first: () => StoredProgress): TopicProgress {
    let progress = this.#topics.get(topic);
    if (progress === undefined) {
      progress = new TopicProgress(this.#found.get(topic) ?? first());
      this.#topics.set(topic, progress);
    }
    return progress;
  }

  /** Puts this in place of the progress in a topic; undefined: it has none. Whoever has a hold of it asks {@link in} again. */
  replace(topic: string, stored: StoredProgress | undefined): void {
    this.#topics.delete(topic);
    this.#begun.delete(topic);
    if (stored === undefined) this.#found.delete(topic);
    else this.#found.set(topic, stored);
  }

  /**
   * Resolves once everything finished before the call survives a crash. Calls that come while a write is under way share the next one.
   * A failing store is asked again until it has recovered; only a first write, before there is anything to lose, rejects.
   */
  save(): Promise<void> {
    this.#queued ??= this.#current.then(() => {
      this.#queued = undefined;
      const write = this.#write();
      // The next one has its own outcome.
      this.#current = write.catch(() => {});
      return write;
    });
    return this.#queued;
  }

  /** Resolves once it is stored that this process reads the topic, and where the group began. */
  async saveFirst(topic: string): Promise<void> {
    if (this.#begun.has(topic)) return;
    await this.save();
    this.#begun.add(topic);
  }

  /** For progress that costs only time when it is lost. */
  saveLater(ms: number = lazyMs): void {
    if (this.#closed) return;
    const { clock } = this.#keeping;
    const due = clock.now() + ms;
    if (this.#later !== undefined && this.#later.due <= due) return;
    this.#later?.cancel();
    const cancel = clock.schedule(() => {
      this.#later = undefined;
      this.save().catch(() => {});
    }, ms);
    this.#later = { due, cancel };
  }

  /** Writes what is not written; tries only once more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#later?.cancel();
    for (const { guard } of this.#topics.values()) guard?.end();
    this.#hurry();
    await this.save();
  }

  async #write(): Promise<void> {
    const { store, clock, logger } = this.#keeping;
    for (let failures = 1; ; failures += 1) {
      const topics = new Map(this.#found);
      for (const [topic, progress] of this.#topics) topics.set(topic, progress.toStored());
      const value = JSON.stringify({ version: 1, topics: Object.fromEntries(topics) });
      if (value === this.#written) return;
      try {
        await store.write(this.#name, value);
        this.#written = value;
        return;
      } catch (error) {
        if (this.#closed || this.#written === undefined) throw error;
        logger.warn('inprocess-bus: cannot store the progress of a group; nothing more is acknowledged until it can', {
          name: this.#name,
          failures,
          error,
        });
        await new Promise<void>((resolve) => {
          const cancel = clock.schedule(resolve, this.#backoff(failures));
          this.#hurry = () => {
            cancel();
            resolve();
          };
        });
      }
    }
  }
}

function parse(name: string, value: string): Map<string, StoredProgress> {
  try {
    const { version, topics } = JSON.parse(value) as { version: unknown; topics: Record<string, StoredProgress> };
    const entries = Object.entries(topics);
    // Reading each here reports what is wrong at once, and not when a topic is first needed.
    for (const [, progress] of entries) parseProgress(progress.done, 'string');
    if (version === 1) return new Map(entries);
  } catch {
    // Said below.
  }
  throw new BentoError(
    'CONFIGURATION',
    `inprocess-bus: cannot read progress "${name}": it is not what this version writes: ${value.slice(0, 100)}. Give the transport a CheckpointStore of its own, or remove the entry to begin anew.`,
  );
}
