import {
  type BusEvent,
  type BusSubscription,
  configurationError,
  type EventBatchHandler,
  type EventDefinition,
  type EventHandler,
  type EventOf,
  type MessageBus,
  type Middleware,
  silentLogger,
} from '@bento-bus/core';
import { systemClock } from '@bento-bus/core/adapter';
import { batchTogether, limitedBatch, type Route, routeBatches } from './batches.ts';
import { DoneMemory } from './done-memory.ts';
import { type HandlerInfo, type HandlerWrapper, limited, together, wrapped } from './handlers.ts';
import {
  type BatchHandlerOptions,
  checkDispatcherOptions,
  type DispatcherOptions,
  type DispatchOptions,
  defaultWaitMs,
  faultsOfHandler,
  type HandlerOptions,
} from './options.ts';
import type { RequestDefinition } from './requests/define-requests.ts';
import { createResponder, type RequestHandler, type Responder, type ResponderOptions } from './requests/responder.ts';
import { refuseUnknown } from './unknown.ts';

/** Options of a responder behind a dispatcher. */
export type DispatchedResponderOptions = ResponderOptions & Pick<HandlerOptions<never>, 'timeoutMs' | 'name'>;

/** Definitions and their handlers, made into one subscription. Registrations return the dispatcher and end with the first subscription. */
export interface Dispatcher {
  /** Of everything that is registered, in that order. */
  readonly definitions: readonly EventDefinition[];
  /**
   * All handlers as one, for `bus.subscribe(dispatcher.definitions, dispatcher.handler, …)`: a new one, with a memory of its own, each
   * time it is read; give it to one subscription. Types without a handler are ignored there. `CONFIGURATION` with batch handlers or responders.
   */
  readonly handler: EventHandler<BusEvent>;
  /** Several handlers of one definition run side by side; see {@link createDispatcher}. */
  on<D extends EventDefinition>(
    definition: D,
    handler: EventHandler<EventOf<D>>,
    options?: HandlerOptions<EventOf<D>>,
  ): Dispatcher;
  /** Makes the subscription one of batches. Several handlers of one definition run side by side. */
  onBatch<D extends EventDefinition>(
    definition: D,
    handler: EventBatchHandler<EventOf<D>>,
    options?: BatchHandlerOptions<EventOf<D>>,
  ): Dispatcher;
  /** Answers requests, as `respond` does; one a definition. */
  respond<Output, Reply>(
    definition: RequestDefinition<string, unknown, Output, Reply>,
    handler: RequestHandler<Output, NoInfer<Reply>>,
    options?: DispatchedResponderOptions,
  ): Dispatcher;
  /** Subscribes once to the topics of all definitions. May be called again for other groups and buses. */
  subscribe(bus: MessageBus, options: DispatchOptions): Promise<BusSubscription>;
}

type Kind = 'on' | 'onBatch' | 'respond';

/** All of one type. */
interface Entry {
  readonly definition: EventDefinition;
  readonly kind: Kind;
  readonly each: EventHandler<BusEvent>[];
  readonly batch: EventBatchHandler<BusEvent>[];
  readonly respond: ((responder: Responder) => EventHandler<BusEvent>)[];
}

/**
 * A table of definitions and handlers. It has no queue: concurrency, order and retries are the subscription's.
 *
 * Several handlers of one event run side by side, whatever the others do. When some fail, the delivery fails: with the error of the one,
 * or with a `HandlersError` of several, retryable if any is. Those that succeeded are remembered (10,000 deliveries, in this process, by
 * topic and position), so that the next try runs only those that failed; a try in another process, or by a retry topic, runs all.
 *
 * Throws a `CONFIGURATION` error that names every fault.
 */
export function createDispatcher(options: DispatcherOptions = {}): Dispatcher {
  checkDispatcherOptions(options);
  const { unknown = 'ignore', use = [], logger = silentLogger, clock = systemClock } = options;
  const entries = new Map<string, Entry>();
  let isSubscribed = false;

  const entryOf = (definition: EventDefinition, kind: Kind, faults: readonly string[]): Entry => {
    const { type } = definition;
    const known = entries.get(type);
    const all = [...faults];
    if (isSubscribed) all.push('register before the first subscription, which would not see it');
    if (known !== undefined && known.definition !== definition) all.push('its type has another definition here');
    if (known !== undefined && known.kind !== kind)
      all.push(`its type has handlers by ${known.kind} already, and one kind is all that a type can have`);
    if (known?.kind === 'respond' && kind === 'respond') all.push('its type has a responder already');
    if (all.length > 0) throw configurationError(`dispatcher: cannot register a handler of "${type}"`, all);
    const entry = known ?? { definition, kind, each: [], batch: [], respond: [] };
    entries.set(type, entry);
    return entry;
  };
  const limitOf = ({ type, name }: HandlerInfo, { timeoutMs: ms = options.timeoutMs }: { timeoutMs?: number }) =>
    ms === undefined ? undefined : { ms, clock, what: `the handler "${name}" of "${type}"` };

  const eachOf = (entry: Entry, memory: DoneMemory, responder: Responder | undefined): EventHandler<BusEvent> => {
    const responding = responder === undefined ? [] : entry.respond.map((make) => make(responder));
    return together(entry.definition.type, [...entry.each, ...responding], memory, logger);
  };
  const handlerOf = (responder?: Responder): EventHandler<BusEvent> => {
    const memory = new DoneMemory();
    const handlers = new Map([...entries].map(([type, entry]) => [type, eachOf(entry, memory, responder)]));
    return (event, context) => handlers.get(event.type)?.(event, context);
  };
  const routesOf = (responder: Responder): ReadonlyMap<string, Route> => {
    const memory = new DoneMemory();
    const routeOf = (entry: Entry): Route =>
      entry.kind === 'onBatch'
        ? { batch: batchTogether(entry.definition.type, entry.batch, memory) }
        : { each: eachOf(entry, memory, responder) };
    return new Map([...entries].map(([type, entry]) => [type, routeOf(entry)]));
  };
  const has = (kind: Kind): boolean => [...entries.values()].some((entry) => entry.kind === kind);
  const definitions = (): readonly EventDefinition[] => [...entries.values()].map(({ definition }) => definition);

  const dispatcher: Dispatcher = {
    get definitions() {
      return definitions();
    },
    get handler() {
      if (has('onBatch') || has('respond'))
        throw configurationError('dispatcher: cannot make one handler of all', [
          'batch handlers and responders need dispatcher.subscribe(bus, …)',
        ]);
      isSubscribed = true;
      return handlerOf();
    },
    on(definition, handler, given = {}) {
      const entry = entryOf(definition, 'on', faultsOfHandler(handler, given));
      const about = infoOf(definition, given, handler);
      const own = wrapped(handler, given.use ?? [], about) as EventHandler<BusEvent>;
      const inner = wrapped(own, use as readonly HandlerWrapper[], about);
      const limit = limitOf(about, given);
      entry.each.push(limit === undefined ? inner : limited(inner, limit));
      return dispatcher;
    },
    onBatch(definition, handler, given = {}) {
      const entry = entryOf(definition, 'onBatch', faultsOfHandler(handler, given));
      const about = infoOf(definition, given, handler);
      const inner = wrapped(handler, given.use ?? [], about);
      const limit = limitOf(about, given);
      entry.batch.push((limit === undefined ? inner : limitedBatch(inner, limit)) as EventBatchHandler<BusEvent>);
      return dispatcher;
    },
    respond(definition, handler, given = {}) {
      const entry = entryOf(definition, 'respond', faultsOfHandler(handler, given));
      const limit = limitOf(infoOf(definition, given, handler), given);
      entry.respond.push((responder) => responder.handlerOf(definition, handler, { ...given, limit }));
      return dispatcher;
    },
    async subscribe(bus, { size, waitMs = defaultWaitMs, ...given }) {
      const { group, ordering = 'key' } = given;
      const faults: string[] = [];
      if (entries.size === 0) faults.push('register a handler first');
      if (has('onBatch') && size === undefined)
        faults.push('size must say how many events a batch has at most, for there are batch handlers');
      if (faults.length > 0) throw configurationError(`dispatcher: cannot subscribe group "${group}"`, faults);
      isSubscribed = true;
      const innermost: Middleware[] = unknown === 'ignore' ? [] : [refuseUnknown(unknown, new Set(entries.keys()))];
      const responder = createResponder(bus, { clock, logger });
      if (has('respond')) innermost.push(responder.middleware);
      const all = { ...given, use: [...(given.use ?? []), ...innermost] };
      return has('onBatch') && size !== undefined
        ? bus.subscribeBatch(definitions(), routeBatches(routesOf(responder), ordering), { ...all, size, waitMs })
        : bus.subscribe(definitions(), handlerOf(responder), all);
    },
  };
  return dispatcher;
}

const infoOf = ({ type }: EventDefinition, { name }: { name?: string }, handler: { name: string }): HandlerInfo => ({
  type,
  name: name ?? (handler.name || 'handler'),
});
