import type { Position } from './checkpoint.ts';
import type { NewEvent, StoredEvent, StreamId } from './event-store.ts';

/** What a unit of work collects: an aggregate with the events it recorded since it was loaded. */
export interface EventSource {
  readonly stream: StreamId;
  /** Stream version it was loaded at; 0: new. */
  readonly version: number;
  /** Recorded and not yet committed, in order. */
  readonly pending: readonly NewEvent[];
  /** Awaited before the append; rejects when what is pending must not be stored. */
  checkPending?(): Promise<void>;
  /** Called after the commit: the first `count` events leave `pending`, `version` moves by as many. */
  committed(count: number): void;
}

/** Where recorded events get their time (epoch milliseconds) and id from. */
export interface Recording {
  now(): number;
  newId(): string;
}

/** Makes an aggregate of `A` from its stream. The constructor is what the compiler infers `A` from, and makes new ones. */
export interface AggregateClass<A extends EventSource> {
  readonly streamType: string;
  new (id: string, recording?: Recording): A;
  load(id: string, events: AsyncIterable<StoredEvent>, recording?: Recording): Promise<NoInfer<A>>;
}

/** One commit: loads aggregates, collects their events, appends them. The append is the commit; publishing is the relay's work. */
export interface UnitOfWorkScope {
  /** The aggregate as of now, collected at once. A stream without events gives a new aggregate. */
  load<A extends EventSource>(type: AggregateClass<A>, id: string): Promise<A>;
  /** Takes an aggregate in. Only one stream with pending events can be committed: a second is a `CONFIGURATION` error at commit. */
  collectEvents(source: EventSource): void;
  /** Appends what is pending; undefined when nothing is. Throws `ConcurrencyError`. */
  commit(): Promise<Position | undefined>;
}

/** How a unit of work starts. */
export interface UnitOfWork {
  /** A scope to commit by hand. */
  begin(options?: UnitOfWorkOptions): UnitOfWorkScope;
  /** Runs `work` in a new scope, commits when it returns, and runs it again from the start on a `ConcurrencyError` (5 times by default, with jitter). */
  run<T>(work: (scope: UnitOfWorkScope) => T | Promise<T>, options?: UnitOfWorkOptions): Promise<T>;
}

/** Options of one unit of work. */
export interface UnitOfWorkOptions {
  /** Metadata for every event: `correlationId` and `causationId` go to the published message. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Runs in all before the `ConcurrencyError` is thrown. @default 5 */
  readonly maxAttempts?: number;
}
