import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  decodeEvent,
  type EventCatalogue,
  type EventDefinition,
  type EventOf,
  type EventSource,
  isPromise,
  type NewEvent,
  type Recording,
  type StoredEvent,
  type StreamId,
  validate,
} from '@bento-bus/core';
import { exactJson } from './exact-json.ts';
import { fault } from './fault.ts';
import { streamName } from './streams.ts';

/** The events of a catalogue as handlers, aggregates and projections see them: the union, narrowed by `type`. */
export type EventsOf<C extends EventCatalogue> = { [K in keyof C]: EventOf<C[K]> }[keyof C];

/** What the schema of a definition takes. */
export type InputOf<D> = D extends EventDefinition<string, infer Input> ? Input : never;

/** How one event is recorded. */
export interface RecordOptions {
  /**
   * The event's id. Give one that follows from the command (a command id, an invoice's number) where the command may be sent twice:
   * a commit whose ids are stored already at that version is a success and appends nothing.
   * @default a random UUID
   */
  readonly id?: string;
  /** When it happened. Epoch milliseconds. @default now */
  readonly time?: number;
  /** Beside the metadata of the unit of work, and before it where both have a name. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const systemRecording: Recording = { now: Date.now, newId: randomUUID };

/** What `load` needs of an aggregate's class: the statics that each one declares. */
export interface LoadableAggregate<A> {
  new (id: string, recording?: Recording): A;
  readonly streamType: string;
  readonly events: EventCatalogue;
}

/**
 * One consistency boundary, whose state follows from its events:
 *
 * ```ts
 * class Order extends Aggregate<typeof orderEvents> {
 *   static readonly streamType = 'order';
 *   static readonly events = orderEvents;
 *   #shipped = false;
 *
 *   ship(tracking: string): void {                      // decides, then records
 *     if (this.#shipped) throw new Error('already shipped');
 *     this.record(orderEvents['order.shipped'], { orderId: this.id, tracking });
 *   }
 *
 *   protected apply(event: EventsOf<typeof orderEvents>): void {   // changes state and never refuses
 *     if (event.type === 'order.shipped') this.#shipped = true;
 *   }
 * }
 * ```
 *
 * What is recorded is applied at once, in the very form in which a later load will give it: through JSON and the schema. Data that the
 * schema refuses is a `ValidationError` at `record`. A schema that validates asynchronously is awaited at commit; until then `apply` has
 * seen the input, so such a schema must not change its value (a `CONFIGURATION` error at commit).
 */
export abstract class Aggregate<C extends EventCatalogue> implements EventSource {
  /** Id of its stream. */
  readonly id: string;
  readonly #recording: Recording;
  #version = 0;
  #pending: NewEvent[] = [];
  /** Of each pending event, where its schema is asynchronous. */
  #checks: (Promise<void> | undefined)[] = [];

  /** A new aggregate, without events. `recording` gives times and ids; a unit of work hands its own in. */
  constructor(id: string, recording: Recording = systemRecording) {
    this.id = id;
    this.#recording = recording;
    const { events, streamType } = this.#type;
    if (typeof events !== 'object' || typeof streamType !== 'string') {
      const cause = 'the class lacks its statics. Declare `static readonly streamType` and `static readonly events`';
      throw fault('CONFIGURATION', `make "${this.constructor.name}"`, cause);
    }
    if (typeof id !== 'string' || id === '') {
      throw fault('VALIDATION', `make "${streamType}"`, 'its id is no text or empty');
    }
  }

  /** Where its events are: the class's `streamType` and its id. */
  get stream(): StreamId {
    return { type: this.#type.streamType, id: this.id };
  }

  /** Events committed; what is pending is not counted. */
  get version(): number {
    return this.#version;
  }

  /** Recorded and not committed, in order. */
  get pending(): readonly NewEvent[] {
    return this.#pending;
  }

  /** Rejects when an asynchronous schema refuses what is pending. */
  async checkPending(): Promise<void> {
    await Promise.all(this.#checks.filter((check) => check !== undefined));
  }

  /** For the unit of work: the first `count` pending events are stored. */
  committed(count: number): void {
    // Replaced, not emptied: whoever holds `pending` keeps what it saw.
    this.#pending = this.#pending.slice(count);
    this.#checks = this.#checks.slice(count);
    this.#version += count;
  }

  /**
   * The aggregate from its stream. Old schema versions are upcast, then validated. An event type that the catalogue lacks is a
   * `CONFIGURATION` error that names it, data that the schema refuses a `ValidationError`.
   */
  static async load<A extends Aggregate<EventCatalogue>>(
    this: LoadableAggregate<A>,
    id: string,
    events: AsyncIterable<StoredEvent>,
    recording?: Recording,
  ): Promise<A> {
    const aggregate = new this(id, recording);
    for await (const event of events) {
      const replayed = aggregate.#replay(event);
      if (replayed) await replayed;
    }
    return aggregate;
  }

  /** Changes the state. Called for each recorded and each loaded event; never refuses one, since it has happened. */
  protected abstract apply(event: EventsOf<C>): void;

  /** Takes down that something happened: validated, applied, and pending until the unit of work commits. */
  protected record<D extends C[keyof C]>(definition: D, data: NoInfer<InputOf<D>>, options: RecordOptions = {}): void {
    const { type, version } = definition;
    if (this.#type.events[type] !== (definition as EventDefinition)) {
      throw fault('CONFIGURATION', `record "${type}" in "${streamName(this.stream)}"`, this.#lacks());
    }
    const { id = this.#recording.newId(), time = this.#recording.now(), metadata } = options;
    const input = this.#throughJson(type, data);
    const checked = validate(
      definition.schema,
      input,
      `eventsourcing: cannot record "${type}" in "${streamName(this.stream)}"`,
    );
    const later = isPromise(checked) ? this.#awaitCheck(type, input, checked) : undefined;
    this.apply({ type, data: later ? input : checked, id, time } as EventsOf<C>);
    this.#checks.push(later);
    this.#pending.push({ id, type, version, data: input, time, ...(metadata && { metadata }) });
  }

  get #type(): LoadableAggregate<this> {
    return this.constructor as unknown as LoadableAggregate<this>;
  }

  #replay(event: StoredEvent): Promise<void> | undefined {
    const { id, time, type } = event;
    const definition = Object.hasOwn(this.#type.events, type) ? this.#type.events[type] : undefined;
    if (!definition) {
      const what = `load "${streamName(event.stream)}"`;
      throw fault('CONFIGURATION', what, `its event ${event.streamVersion} is of the type "${type}"; ${this.#lacks()}`);
    }
    const data = decodeEvent(definition, event.eventVersion, event.data);
    const replay = (output: unknown): void => {
      this.apply({ type, data: output, id, time } as EventsOf<C>);
      this.#version = event.streamVersion;
    };
    if (isPromise(data)) return data.then((output) => replay(output));
    replay(data);
    return undefined;
  }

  /** What the store will give back: a caller that changes its object afterwards changes nothing here. */
  #throughJson(type: string, data: unknown): unknown {
    const json = exactJson(data);
    if ('text' in json) return json.value;
    const what = `record "${type}" in "${streamName(this.stream)}"`;
    throw fault('VALIDATION', what, `JSON does not keep its ${json.inexactAt} whole. Use values that JSON keeps`);
  }

  #awaitCheck(type: string, input: unknown, checked: Promise<unknown>): Promise<void> {
    const check = checked.then((output) => {
      if (isDeepStrictEqual(output, input)) return;
      const cause =
        'its schema is asynchronous and changes the value, which was applied as given. Make the schema synchronous';
      throw fault('CONFIGURATION', `commit "${type}" of "${streamName(this.stream)}"`, cause);
    });
    // Awaited at commit; an aggregate that is thrown away before must not end the process.
    check.catch(() => undefined);
    return check;
  }

  #lacks(): string {
    return `${this.constructor.name} does not have it in its catalogue. Add it to \`static readonly events\``;
  }
}
