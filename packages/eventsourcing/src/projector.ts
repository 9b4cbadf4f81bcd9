import {
  type Codec,
  configurationError,
  type Delivery,
  headerNames,
  isBentoError,
  type Logger,
  type Middleware,
  type Outcome,
  type Subscriber,
  type Subscription,
  silentLogger,
} from '@bento-bus/core';
import { catchUp } from './catch-up.ts';
import { CaughtUp } from './caught-up.ts';
import { ProjectionError } from './errors.ts';
import { FailureLog, type FailureRecord, failedEvents, recordOf } from './failed-events.ts';
import { fault } from './fault.ts';
import type { EventFailure } from './fold.ts';
import { ofDelivery, PlacedEvent } from './placed-event.ts';
import { definitionFor, modelsOf } from './projection.ts';
import {
  type CatchUpOptions,
  type CatchUpProgress,
  type CaughtUpOptions,
  type Projector,
  type ProjectorOptions,
  type ProjectorSubscribeOptions,
  projectorDefaults,
} from './projector-options.ts';
import { streamKey, streamName } from './streams.ts';
import { Target, type TargetContext } from './target.ts';
import { createInMemoryCheckpoints } from './verified-progress.ts';

class StoreProjector implements Projector {
  readonly #options: ProjectorOptions;
  readonly #logger: Logger;
  readonly #context: TargetContext;
  readonly #targets: readonly Target[];
  /** Event types that some projection handles. */
  readonly #types: ReadonlySet<string>;
  #ensured: Promise<void> | undefined;

  constructor(options: ProjectorOptions) {
    const { checkpoints = createInMemoryCheckpoints(), projections, readModels, store } = options;
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#context = { store, readModels, checkpoints, failures: new FailureLog(readModels) };
    this.#targets = projections.map((projection) => new Target(projection, this.#context));
    this.#types = new Set(projections.flatMap(({ events }) => Object.keys(events)));
  }

  async subscribe(transport: Subscriber, options: ProjectorSubscribeOptions): Promise<Subscription> {
    const { codec, topics = this.#topics(), use = [], ...rest } = options;
    await this.#ensure();
    const recordExhausted: Middleware = (next, subscription) => {
      subscription.onExhausted((delivery, reason) => this.#takeExhausted(delivery, codec, reason));
      return next;
    };
    return transport.subscribeBatch(topics, (batch) => this.#handle(batch, codec), {
      size: projectorDefaults.size,
      waitMs: projectorDefaults.waitMs,
      ...rest,
      use: [recordExhausted, ...use],
    });
  }

  async catchUp(options: CatchUpOptions = {}): Promise<CatchUpProgress> {
    await this.#ensure();
    return catchUp(this.#targets, this.#context, options);
  }

  async rebuild(name: string, options: Omit<CatchUpOptions, 'after' | 'to'> = {}): Promise<CatchUpProgress> {
    const target = this.#targets.find(({ projection }) => projection.name === name);
    if (!target) {
      const known = this.#targets.map(({ projection }) => `"${projection.name}"`).join(', ');
      throw fault('CONFIGURATION', `rebuild "${name}"`, `there is no such projection. Known: ${known}`);
    }
    await this.#ensure();
    await target.clear();
    return catchUp([target], this.#context, options);
  }

  async caughtUp(options: CaughtUpOptions): Promise<void> {
    await this.#ensure();
    await new CaughtUp(this.#context, options).wait(this.#targets);
  }

  async #handle(batch: readonly Delivery[], codec: Codec): Promise<readonly Outcome[]> {
    const placed = batch.map((delivery) => this.#place(delivery, codec));
    const failures = await this.#apply(placed.filter((event) => event instanceof PlacedEvent));
    // What is recorded already is acknowledged at once: its record stands for everything behind it in its stream.
    const open = await this.#context.failures.unrecorded(failures);
    const byStream = new Map<string, EventFailure[]>();
    for (const failure of open) {
      const key = streamKey(failure.event.stream);
      byStream.set(key, [...(byStream.get(key) ?? []), failure]);
    }
    return placed.map((event) => outcomeOf(event, byStream));
  }

  /** Undefined: no projection handles its type, or it comes from another store. An error: it has no place in a stream. */
  #place(delivery: Delivery, codec: Codec): PlacedEvent | { readonly error: unknown } | undefined {
    const { headers, type } = delivery.message;
    const log = headers[headerNames.log] ?? this.#options.store.identity;
    // Streams of several stores may have the same names, and a topic may serve them all.
    if (!this.#types.has(type) || log !== this.#options.store.identity) return undefined;
    try {
      return ofDelivery(delivery, codec);
    } catch (error) {
      return { error };
    }
  }

  async #apply(events: readonly PlacedEvent[]): Promise<readonly EventFailure[]> {
    return (await Promise.all(this.#targets.map((target) => target.apply(events)))).flat();
  }

  /**
   * A delivery at its lane's limits: tried once more, since what held it may have been the read models' outage and not the event; what
   * fails for good is recorded. Rejects while a store is down or an error may pass: then the delivery stays where it is.
   */
  async #takeExhausted(delivery: Delivery, codec: Codec, reason: unknown): Promise<void> {
    const event = this.#place(delivery, codec);
    const failures = event instanceof PlacedEvent ? await this.#apply([event]) : [];
    if (isSome(failures) && failures.some(({ error }) => isBentoError(error) && error.retryable)) {
      throw new ProjectionError(failures);
    }
    const records =
      event instanceof PlacedEvent ? failures.map((failure) => recordOf(failure)) : this.#unplaced(delivery, reason);
    await this.#context.failures.record(records);
    for (const { error, eventId, projection, stream } of records) {
      const fields = { projection, stream: streamName(stream), messageId: eventId, error };
      this.#logger.error('an event failed for good; it is recorded in failed_events and acknowledged', fields);
    }
  }

  /** What is recorded of a message that names no stream: once for each projection that handles its type, or for none. */
  #unplaced({ message }: Delivery, error: unknown): readonly FailureRecord[] {
    const { id, type } = message;
    const stream = { type: '', id };
    const concerned = this.#targets.filter(({ projection }) => Object.hasOwn(projection.events, type));
    const names = concerned.map(({ projection: { model, name } }) => [name, model.version] as const);
    return (isSome(names) ? names : [['', 0] as const]).map(([projection, modelVersion]) => ({
      projection,
      modelVersion,
      stream,
      streamVersion: 0,
      eventId: id,
      eventType: type,
      position: '',
      error,
    }));
  }

  #topics(): readonly string[] {
    const definitions = this.#targets.flatMap(({ projection }) => Object.values(projection.events));
    return [...new Set(definitions.map(({ topic }) => topic))];
  }

  /** Makes the tables, once; a failure is tried again at the next call. */
  #ensure(): Promise<void> {
    const { projections, readModels } = this.#options;
    const models = projections.flatMap((projection) => modelsOf(projection));
    this.#ensured ??= readModels.ensure([...models, failedEvents]).catch((error: unknown) => {
      this.#ensured = undefined;
      throw error;
    });
    return this.#ensured;
  }
}

function outcomeOf(
  event: PlacedEvent | { readonly error: unknown } | undefined,
  failuresByStream: ReadonlyMap<string, readonly EventFailure[]>,
): Outcome {
  if (event === undefined) return { ok: true };
  if (!(event instanceof PlacedEvent)) return { ok: false, error: event.error };
  const { place } = event;
  const failures = (failuresByStream.get(streamKey(place.stream)) ?? []).filter(
    (failure) => failure.event.streamVersion <= place.streamVersion && definitionFor(failure.projection, place),
  );
  return isSome(failures) ? { ok: false, error: new ProjectionError(failures) } : { ok: true };
}

const isSome = <T>(list: readonly T[]): list is readonly [T, ...T[]] => list.length > 0;

const twice = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
];

function checkOptions({ projections }: ProjectorOptions): void {
  const models = projections.flatMap((projection) => modelsOf(projection));
  const faults = [
    ...(projections.length === 0 ? ['projections is empty'] : []),
    ...twice(projections.map(({ name }) => name)).map((name) => `two projections have the name "${name}"`),
    ...twice([...models, failedEvents].map(({ name }) => name)).map(
      (name) => `the model "${name}" is written twice; one projection writes a model`,
    ),
  ];
  if (faults.length > 0) throw configurationError('eventsourcing: cannot make a projector', faults);
}

/**
 * Keeps the rows of projections up with a store: from the messages of the relay (`subscribe`), and from the store itself (`catchUp`,
 * `rebuild`). Both feed the same code, in any order and as often as they like: a version at or below the row's is skipped, a gap is
 * loaded from the store, facts are written before the row that carries the version. Several processes may do it at once.
 */
export function createProjector(options: ProjectorOptions): Projector {
  checkOptions(options);
  return new StoreProjector(options);
}
