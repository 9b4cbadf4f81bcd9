import type { Logger } from '@bento-bus/core';
import { type CrashGuard, createCrashGuard, type GuardEntry } from '@bento-bus/core/adapter';
import type { TopicName } from '../names.ts';
import { type AttemptsContext, AttemptsTopic } from './attempts-topic.ts';
import { createSharedWrite, type SharedWrite } from './shared-write.ts';

export interface AttemptsOptions {
  readonly topic: TopicName;
  readonly group: string;
  /** The consumer's name. */
  readonly session: string;
  readonly window: number;
  readonly maxCrashes: number;
  /** Names of the consumers that the broker knows in this subscription. */
  readonly consumers: () => Promise<ReadonlySet<string>>;
  /** Deliveries of this topic that failed and are held. */
  readonly held: () => Iterable<Attempt>;
  /** The message is in hand. */
  readonly has: (position: string) => boolean;
}

/** How often the handler of a message was started. */
export interface Attempt {
  readonly position: string;
  readonly attempt: number;
}

/** `head`: deaths in a row, and how many messages are still recorded when they start. */
interface Head {
  readonly deaths: number;
  readonly suspectLeft: number;
}

/** `session/<name>`: a member that began; what it had started when this was stored, while starts are recorded. */
interface Session {
  readonly since: number;
  readonly open: readonly (readonly [position: string, entry: GuardEntry])[];
}

/** `message/<position>`: one that failed, or was at work when its process died. */
interface StoredEntry extends GuardEntry {
  readonly by: string;
}

const sessionPrefix = 'session/';
const messagePrefix = 'message/';
const headKey = 'head';
/** Attempts of failing messages are stored at most this often. */
const storeMs = 100;
/** More would not fit into a frame. */
const mostOpen = 8_000;

/**
 * What one member's run knows of attempts and deaths on one topic of its group, and what it stores of them. A message that never failed
 * costs nothing. Sessions that are stored, and whose consumer the broker does not know any more, have died.
 */
export class Attempts {
  readonly #topic: AttemptsTopic;
  readonly #options: AttemptsOptions;
  readonly #logger: Logger;
  readonly #since = Date.now();
  readonly #session: SharedWrite;
  #guard: CrashGuard | undefined;
  /** What was stored last of messages that failed here. */
  readonly #written = new Map<string, number>();
  /** What other members have at work. */
  readonly #others = new Map<string, readonly string[]>();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: AttemptsOptions, context: AttemptsContext) {
    this.#options = options;
    this.#logger = context.logger;
    this.#topic = new AttemptsTopic(
      options.topic,
      options.group,
      options.session,
      (key, value) => this.#onRecord(key, value),
      context,
    );
    this.#session = createSharedWrite(() => this.#topic.put(sessionPrefix + options.session, this.#sessionRecord()));
  }

  get guard(): CrashGuard | undefined {
    return this.#guard;
  }

  /** Reads what sessions before this one left. */
  read(): Promise<void> {
    return this.#topic.open();
  }

  /** Begins the session, when its consumer is in place and before it gets its first message. */
  async begin(): Promise<void> {
    const { topic, group, window, maxCrashes, consumers } = this.#options;
    const sessions = [...this.#topic.entries(sessionPrefix)] as (readonly [string, Session])[];
    const alive = sessions.length === 0 ? undefined : await consumers();
    const dead = sessions.filter(([name]) => alive?.has(name) !== true);
    const head = this.#topic.get(headKey) as Head | undefined;
    const entries = new Map<string, GuardEntry>();
    for (const [position, value] of this.#topic.entries(messagePrefix))
      entries.set(position, entryOf(value as StoredEntry));
    const atWork = dead.flatMap(([, { open }]) => open);
    for (const [position, entry] of atWork) entries.set(position, entry);
    const guard = createCrashGuard({
      found: { starts: (head?.deaths ?? 0) + dead.length, suspectLeft: head?.suspectLeft ?? 0, entries },
      window,
      maxCrashes,
      store: (positions) => (positions.length === 0 ? this.#rest() : this.#session()),
      logger: this.#logger,
      fields: { topic: topic.full, group },
    });
    this.#guard = guard;
    for (const [name, session] of sessions) if (alive?.has(name) === true) this.#merge(name, session);
    // Each death counts once: as soon as it is stored, the dead session is forgotten.
    for (const [position] of atWork) guard.take(position);
    await Promise.all([
      this.#session(),
      ...(dead.length === 0 ? [] : [this.#putHead()]),
      ...atWork.map(([position]) => this.#putEntry(position)),
    ]);
    await Promise.all(dead.map(([name]) => this.#topic.put(sessionPrefix + name, undefined)));
    for (const [name] of dead) this.#background(this.#topic.clearAfter(name));
  }

  settled(position: string): void {
    this.#guard?.settled(position);
    const stored = this.#topic.get(messagePrefix + position) !== undefined;
    if ((this.#written.size > 0 && this.#written.delete(position)) || stored) this.#background(this.#forget(position));
  }

  /** Something failed: soon its attempts are stored. */
  failed(): void {
    if (this.#ended) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const changed = [...this.#options.held()].filter(
        ({ position, attempt }) => this.#written.get(position) !== attempt,
      );
      this.#background(Promise.all(changed.map(({ position, attempt }) => this.#putEntry(position, attempt))));
    }, storeMs).unref();
  }

  /** The end of the session. `left`: what was started and not finished. */
  async end(left: readonly Attempt[]): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    const guard = this.#guard;
    try {
      if (guard === undefined) return;
      await Promise.all(left.map(({ position, attempt }) => this.#putEntry(position, attempt)));
      guard.end();
      const { deaths = 0, suspectLeft = 0 } = (this.#topic.get(headKey) as Head | undefined) ?? {};
      if (deaths + suspectLeft > 0) await this.#putHead();
      await this.#topic.put(sessionPrefix + this.#options.session, undefined);
    } finally {
      await this.#topic.close();
    }
  }

  /** Nothing has died for long: what was at work at the deaths and did not come again is done. */
  async #rest(): Promise<void> {
    const { session, has } = this.#options;
    const gone = [...this.#topic.entries(messagePrefix)].filter(
      ([position, value]) => (value as StoredEntry).by === session && !has(position),
    );
    await Promise.all([this.#putHead(), this.#session(), ...gone.map(([position]) => this.#forget(position))]);
  }

  #sessionRecord(): Session {
    const open = [...(this.#guard?.state().entries ?? [])].filter(([, entry]) => entry.open > 0 && !foreign.has(entry));
    return { since: this.#since, open: open.slice(0, mostOpen) };
  }

  /** What a message has behind it, told apart from what is at work: that is in the session's record. */
  #putEntry(position: string, attempt?: number): Promise<void> {
    const entry = this.#guard?.state().entries.get(position) ?? { attempt: 0, crashes: 0, level: 0, open: 0 };
    const stored: StoredEntry = { ...entry, attempt: attempt ?? entry.attempt, open: 0, by: this.#options.session };
    this.#written.set(position, stored.attempt);
    return this.#topic.put(messagePrefix + position, stored);
  }

  #forget(position: string): Promise<void> {
    return this.#topic.put(messagePrefix + position, undefined);
  }

  /** This session counts by its own record, not in the head. */
  async #putHead(): Promise<void> {
    const { starts = 0, suspectLeft = 0 } = this.#guard?.state() ?? {};
    await this.#topic.put(headKey, { deaths: Math.max(0, starts - 1), suspectLeft } satisfies Head);
  }

  #onRecord(key: string, value: unknown): void {
    if (this.#guard === undefined) return;
    if (key.startsWith(messagePrefix)) {
      const position = key.slice(messagePrefix.length);
      this.#guard.merge(position, value === undefined ? undefined : entryOf(value as StoredEntry));
    } else if (key.startsWith(sessionPrefix)) {
      const name = key.slice(sessionPrefix.length);
      if (name !== this.#options.session) this.#merge(name, value as Session | undefined);
      // Another member took this one for dead while it was reconnecting.
      else if (value === undefined && !this.#ended) this.#background(this.#session());
    }
  }

  /** What another member has at work: should it come here, that one has died. */
  #merge(name: string, session: Session | undefined): void {
    for (const position of this.#others.get(name) ?? []) {
      const stored = this.#topic.get(messagePrefix + position);
      this.#guard?.merge(position, stored === undefined ? undefined : entryOf(stored as StoredEntry));
    }
    if (session === undefined) this.#others.delete(name);
    else
      this.#others.set(
        name,
        session.open.map(([position]) => position),
      );
    for (const [position, entry] of session?.open ?? []) {
      if (this.#options.has(position)) continue;
      foreign.add(entry);
      this.#guard?.merge(position, entry);
    }
  }

  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) =>
      this.#logger.warn('pulsar-adapter: cannot store attempts; after a crash they count from before', {
        topic: this.#topic.topic.full,
        error,
      }),
    );
  }
}

/** Entries that other members have at work. */
const foreign = new WeakSet<GuardEntry>();

const entryOf = ({ attempt, crashes, level, open }: StoredEntry): GuardEntry => ({ attempt, crashes, level, open });
