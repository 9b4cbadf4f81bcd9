import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AggregateClass,
  type EventSource,
  type EventStore,
  isBentoError,
  type Logger,
  type NewEvent,
  type Position,
  type Recording,
  silentLogger,
  type UnitOfWork,
  type UnitOfWorkOptions,
  type UnitOfWorkScope,
} from '@bento-bus/core';
import { type Backoff, fullJitter } from '@bento-bus/core/adapter';
import { fault } from './fault.ts';
import { streamKey, streamName } from './streams.ts';

/** Options of {@link createUnitOfWork}. */
export interface CreateUnitOfWorkOptions {
  readonly store: EventStore;
  /** Called after each commit, with the position of its last event; wakes the relay. What it throws is logged: the commit stands. */
  readonly onCommit?: (position: Position) => void;
  /** @default silentLogger */
  readonly logger?: Logger;
  /** Time of events that loaded aggregates record. Epoch milliseconds. @default Date.now */
  readonly now?: () => number;
  /** Ids of events that loaded aggregates record. @default randomUUID */
  readonly newId?: () => string;
  /** Wait of `run` before it runs again. @default full jitter from 10 ms, at most 1 s */
  readonly backoff?: Backoff;
}

const defaultAttempts = 5;

/**
 * Units of work over an event store. A scope belongs to one command: `load` gives one instance a stream, `commit` appends what one stream
 * has pending, all or nothing. After a commit the scope can go on; `commit` without pending events resolves with undefined; commits of
 * one scope made at once run one after the other. After a `ConcurrencyError` the aggregates of the scope are stale: begin a new one,
 * as `run` does. After any other failure of the store the same `commit` can be called again: the events keep their ids, and what the
 * store has already is not appended twice.
 */
export function createUnitOfWork(options: CreateUnitOfWorkOptions): UnitOfWork {
  const { store, onCommit, logger = silentLogger, now = Date.now, newId = randomUUID } = options;
  const backoff = options.backoff ?? fullJitter({ baseMs: 10, capMs: 1_000 });
  const committed = (position: Position): void => {
    try {
      onCommit?.(position);
    } catch (error) {
      logger.error('onCommit failed; the commit stands', { position, error });
    }
  };
  const begin = ({ metadata }: UnitOfWorkOptions = {}): Scope => new Scope(store, { now, newId }, metadata, committed);

  return {
    begin,
    async run(work, runOptions) {
      const attempts = runOptions?.maxAttempts ?? defaultAttempts;
      if (!Number.isSafeInteger(attempts) || attempts < 1) {
        throw fault('CONFIGURATION', 'run a unit of work', `maxAttempts ${attempts} is no whole number from 1`);
      }
      for (let attempt = 1; ; attempt++) {
        const scope = begin(runOptions);
        try {
          const result = await work(scope);
          await scope.commit();
          return result;
        } catch (error) {
          // What the scope has committed by hand would happen twice.
          if (!isBentoError(error, 'CONCURRENCY') || attempt >= attempts || scope.hasCommitted) throw error;
          logger.debug('another writer was first; running the unit of work again', { attempt, error });
        }
        await delay(backoff(attempt));
      }
    },
  };
}

class Scope implements UnitOfWorkScope {
  hasCommitted = false;
  readonly #store: EventStore;
  readonly #recording: Recording;
  readonly #metadata: Readonly<Record<string, string>> | undefined;
  readonly #onCommit: (position: Position) => void;
  readonly #loaded = new Map<object, Map<string, Promise<EventSource>>>();
  readonly #sources = new Set<EventSource>();
  #commits: Promise<unknown> = Promise.resolve();

  constructor(
    store: EventStore,
    recording: Recording,
    metadata: Readonly<Record<string, string>> | undefined,
    onCommit: (position: Position) => void,
  ) {
    this.#store = store;
    this.#recording = recording;
    this.#metadata = metadata;
    this.#onCommit = onCommit;
  }

  load<A extends EventSource>(type: AggregateClass<A>, id: string): Promise<A> {
    const ofType = this.#loaded.get(type) ?? new Map<string, Promise<EventSource>>();
    this.#loaded.set(type, ofType);
    const known = ofType.get(id) ?? this.#read(type, id);
    ofType.set(id, known);
    known.catch(() => ofType.delete(id));
    // What was loaded by this class is of this class.
    return known as Promise<A>;
  }

  collectEvents(source: EventSource): void {
    this.#sources.add(source);
  }

  commit(): Promise<Position | undefined> {
    const commit = this.#commits.then(() => this.#commit());
    this.#commits = commit.catch(() => undefined);
    return commit;
  }

  async #read<A extends EventSource>(type: AggregateClass<A>, id: string): Promise<A> {
    const events = this.#store.getEvents({ type: type.streamType, id });
    const source: A = await type.load(id, events, this.#recording);
    this.collectEvents(source);
    return source;
  }

  async #commit(): Promise<Position | undefined> {
    const [source, ...others] = [...this.#sources].filter(({ pending }) => pending.length > 0);
    if (!source) return undefined;
    if (others.length > 0) throw tooMany([source, ...others]);
    await source.checkPending?.();
    const events = source.pending.map((event) => this.#withMetadata(event));
    const position = await this.#store.saveEvents(source.stream, events, source.version);
    this.hasCommitted = true;
    source.committed(events.length);
    this.#onCommit(position);
    return position;
  }

  #withMetadata(event: NewEvent): NewEvent {
    return this.#metadata ? { ...event, metadata: { ...this.#metadata, ...event.metadata } } : event;
  }
}

function tooMany(sources: readonly EventSource[]): Error {
  const names = sources.map(({ stream }) => `"${streamName(stream)}"`);
  const twice = new Set(sources.map(({ stream }) => streamKey(stream))).size < sources.length;
  const cause = twice
    ? 'one stream was collected as two objects with pending events. Load it once and go on with that object'
    : `a unit of work commits one stream. Commit the others by their own units of work, from a handler of the first one's events`;
  return fault('CONFIGURATION', `commit ${names.join(' and ')}`, cause);
}
