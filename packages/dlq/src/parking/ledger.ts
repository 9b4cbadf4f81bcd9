import { randomUUID } from 'node:crypto';
import { type EventStore, isBentoError, type StreamId } from '@bento-bus/core';

/** How streams of one kind are read. */
export interface LedgerOptions<State, Event extends { readonly kind: string }> {
  readonly store: EventStore;
  readonly streamType: string;
  /** Streams whose state is remembered. */
  readonly cacheSize: number;
  readonly now: () => number;
  readonly initial: () => State;
  /** Changes the state by one event. */
  readonly apply: (state: State, event: Event, version: number) => void;
}

/** What a change comes to. */
export interface Decision<Event, Result> {
  readonly result: Result;
  /** To be stored, all or none. @default nothing */
  readonly events?: readonly Event[];
}

interface Entry<State> {
  readonly stream: StreamId;
  readonly state: State;
  version: number;
  reading: Promise<void> | undefined;
  next: Promise<void> | undefined;
  /** Changes of this process come one after the other. */
  tail: Promise<unknown>;
}

/** Streams of an event store as small state machines: read as of now, changed by compare-and-set. */
export class Ledger<State, Event extends { readonly kind: string }> {
  readonly #options: LedgerOptions<State, Event>;
  /** The last used at the end. */
  readonly #entries = new Map<string, Entry<State>>();

  constructor(options: LedgerOptions<State, Event>) {
    this.#options = options;
  }

  /** The state as of a moment after the call. */
  async read(id: string): Promise<State> {
    const entry = this.#entry(id);
    await this.#fresh(entry);
    return entry.state;
  }

  /** Decides on the state as of now and stores what follows from it; decides again when another writer was first. */
  change<Result>(id: string, decide: (state: State) => Decision<Event, Result>): Promise<Result> {
    const entry = this.#entry(id);
    const changing = entry.tail.then(() => this.#change(entry, decide));
    entry.tail = changing.catch(() => {});
    return changing;
  }

  async #change<Result>(entry: Entry<State>, decide: (state: State) => Decision<Event, Result>): Promise<Result> {
    for (;;) {
      await this.#fresh(entry);
      const expected = entry.version;
      const { result, events = [] } = decide(entry.state);
      if (events.length === 0) return result;
      const time = this.#options.now();
      const stored = events.map((data) => ({ id: randomUUID(), type: data.kind, version: 1, data, time }));
      try {
        await this.#options.store.saveEvents(entry.stream, stored, expected);
      } catch (error) {
        if (isBentoError(error, 'CONCURRENCY')) continue;
        throw error;
      }
      for (const [at, event] of events.entries()) this.#apply(entry, event, expected + 1 + at);
      return result;
    }
  }

  #entry(id: string): Entry<State> {
    const known = this.#entries.get(id);
    const entry = known ?? {
      stream: { type: this.#options.streamType, id },
      state: this.#options.initial(),
      version: 0,
      reading: undefined,
      next: undefined,
      tail: Promise.resolve(),
    };
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    if (this.#entries.size > this.#options.cacheSize) {
      const [oldest = ''] = this.#entries.keys();
      this.#entries.delete(oldest);
    }
    return entry;
  }

  /** A read that has begun may have seen less than there is now: all who ask meanwhile share the one after it. */
  #fresh(entry: Entry<State>): Promise<void> {
    if (entry.reading === undefined) return this.#catchUp(entry);
    entry.next ??= entry.reading
      .catch(() => {})
      .then(() => {
        entry.next = undefined;
        return this.#catchUp(entry);
      });
    return entry.next;
  }

  #catchUp(entry: Entry<State>): Promise<void> {
    const read = async (): Promise<void> => {
      for await (const { data, streamVersion } of this.#options.store.getEvents(entry.stream, entry.version + 1))
        this.#apply(entry, data as Event, streamVersion);
    };
    entry.reading = read().finally(() => {
      entry.reading = undefined;
    });
    return entry.reading;
  }

  /** In their order, each once: a read and a change may bring the same one. */
  #apply(entry: Entry<State>, event: Event, version: number): void {
    if (version !== entry.version + 1) return;
    entry.version = version;
    this.#options.apply(entry.state, event, version);
  }
}
