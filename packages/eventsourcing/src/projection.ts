import {
  configurationError,
  type EventCatalogue,
  type EventDefinition,
  type ReadModel,
  type RowOf,
  type StreamId,
} from '@bento-bus/core';
import type { EventsOf } from './aggregate.ts';

/** An event as a projection sees it: typed and narrowed by `type`, with its place in its stream. */
export type ProjectedEvent<C extends EventCatalogue = EventCatalogue> = EventsOf<C> & {
  readonly stream: StreamId;
  /** From 1. */
  readonly streamVersion: number;
};

/** A table of facts beside the entity's row: what single events leave behind, for example one row a line of an order. */
export interface ProjectionFacts<
  C extends EventCatalogue = EventCatalogue,
  M extends ReadModel = ReadModel,
  F extends ReadModel = ReadModel,
> {
  readonly model: F;
  /**
   * The rows that this event leaves, given the entity's row after it. Pure. Their key must name the stream (its id, or what stands for
   * it); a later event may write a row again and then replaces it.
   */
  rows(event: ProjectedEvent<C>, row: RowOf<M>): readonly RowOf<F>[];
}

/** What {@link defineProjection} takes. */
export interface ProjectionInput<C extends EventCatalogue, M extends ReadModel, F extends readonly ReadModel[]> {
  /** Unique among the projections of a projector. */
  readonly name: string;
  /** Types of the streams to project. */
  readonly streams: readonly string[];
  /** Event types to handle; others in those streams are passed over and do not move the row's version. */
  readonly events: C;
  /** The entity's table: one row a stream. The row carries the version of the last event it is a function of. */
  readonly model: M;
  /**
   * The key columns of a stream's row, from the stream id alone: so that rows can be found, and compared with the store, before an event
   * is read. Different streams must have different keys.
   * @default the one text column of the model's key is the stream's id (only with one stream type)
   */
  readonly key?: (stream: StreamId) => Partial<RowOf<M>>;
  /**
   * The entity's row after one more event; `row` is undefined at first. Pure: no clock, no random, nothing but its arguments. A throw
   * fails this event; the stream's row stays as it was until the code is mended or the event is skipped by its code.
   */
  evolve(row: RowOf<M> | undefined, event: ProjectedEvent<C>): RowOf<M>;
  /** Tables of facts. Their models have the entity's version: the entity's row carries the progress of all. */
  readonly facts?: { readonly [I in keyof F]: ProjectionFacts<C, M, F[I]> };
}

/** How streams become rows. Made by {@link defineProjection}. */
export interface Projection<C extends EventCatalogue = EventCatalogue, M extends ReadModel = ReadModel> {
  readonly name: string;
  readonly streams: readonly string[];
  readonly events: C;
  readonly model: M;
  key(stream: StreamId): Partial<RowOf<M>>;
  evolve(row: RowOf<M> | undefined, event: ProjectedEvent<C>): RowOf<M>;
  /** Of any types: with `C` and `M` here no projection would be assignable to `Projection`. */
  readonly facts: readonly ProjectionFacts[];
}

/**
 * Declares a projection. Its rows are pure functions of a prefix of one stream; that is what makes redelivery, other batch bounds,
 * crashes between two writes, catch-up and rebuild all end with the same rows.
 * Throws a `CONFIGURATION` error that names every fault.
 */
export function defineProjection<
  const C extends EventCatalogue,
  const M extends ReadModel,
  const F extends readonly ReadModel[] = readonly [],
>(input: ProjectionInput<C, M, F>): Projection<C, M> {
  const { events, model, name, streams } = input;
  const facts = (input.facts ?? []) as unknown as readonly ProjectionFacts[];
  const [keyColumn = ''] = model.key;
  const keyByDefault = streams.length === 1 && model.key.length === 1 && model.columns[keyColumn] === 'string';
  const wrongKeys = Object.entries(events).filter(([type, definition]) => definition.type !== type);
  const otherVersions = facts.filter((fact) => fact.model.version !== model.version);
  const faults = [
    ...(name === '' ? ['name is empty'] : []),
    ...(streams.length === 0 ? ['streams names no stream type'] : []),
    ...(Object.keys(events).length === 0 ? ['events has no event type'] : []),
    ...wrongKeys.map(([type]) => `events: the key "${type}" is not the type of its definition`),
    ...otherVersions.map(
      ({ model: other }) =>
        `"${other.name}" has version ${other.version} and "${model.name}" ${model.version}: raise them together`,
    ),
    ...(input.key || keyByDefault
      ? []
      : ['key must be given, unless there is one stream type and the model has one key column, a string']),
  ];
  if (faults.length > 0) throw configurationError(`eventsourcing: cannot define the projection "${name}"`, faults);
  return {
    name,
    streams,
    events,
    model,
    facts,
    key: input.key ?? (({ id }) => ({ [keyColumn]: id }) as Partial<RowOf<M>>),
    evolve: (row, event) => input.evolve(row, event),
  };
}

/** The definition by which a projection reads an event; undefined: it passes it over. */
export function definitionFor(
  projection: Projection,
  event: { readonly type: string; readonly stream: StreamId },
): EventDefinition | undefined {
  if (!projection.streams.includes(event.stream.type)) return undefined;
  return Object.hasOwn(projection.events, event.type) ? projection.events[event.type] : undefined;
}

/** The entity's model and those of the facts. */
export const modelsOf = ({ facts, model }: Projection): readonly ReadModel[] =>
  [model].concat(facts.map((table) => table.model));
