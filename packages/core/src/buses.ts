import type { EventDefinition } from './events.ts';

/** A value, now or later. */
export type MaybePromise<T> = T | Promise<T>;

/** A class whose instances are messages. */
export type MessageClass<M extends object = object> = abstract new (...args: never[]) => M;

/** Marks a command or query class with the type of its answer; the field exists for the compiler only. */
export interface Returning<Result> {
  readonly '~result'?: Result;
}
/** The answer's type of a command or query. */
export type ResultOf<M> = M extends Returning<infer Result> ? Result : void;

/** Commands in process: exactly one handler a class. A second registration and a missing handler are `CONFIGURATION` errors that name the class. */
export interface CommandBus {
  /** Returns the function that takes the registration back. */
  register<M extends object>(
    command: MessageClass<M>,
    handler: (command: M) => MaybePromise<NoInfer<ResultOf<M>>>,
  ): () => void;
  execute<M extends object>(command: M): Promise<ResultOf<M>>;
}

/** Queries in process: as {@link CommandBus}, for reads. */
export interface QueryBus {
  register<M extends object>(
    query: MessageClass<M>,
    handler: (query: M) => MaybePromise<NoInfer<ResultOf<M>>>,
  ): () => void;
  execute<M extends object>(query: M): Promise<ResultOf<M>>;
}

/**
 * Events in process, for handlers of the same process only: nothing is stored, a crash loses what was not handled.
 * Every handler runs, whatever the others do; sync handlers run before `publish` returns. With handlers that all finish in the call,
 * `publish` returns undefined, else a promise. When handlers fail, it throws or rejects with one `EventHandlersError` after all have run,
 * or, where the bus was made with `onError`, reports there and ends well.
 */
export interface EventBus {
  subscribe<Output>(
    definition: EventDefinition<string, unknown, Output>,
    handler: (data: Output, definition: EventDefinition) => MaybePromise<void>,
  ): () => void;
  publish<Output>(definition: EventDefinition<string, unknown, Output>, data: NoInfer<Output>): MaybePromise<void>;
}
