import { isPromise, type ReadModel, type RowOf, type VersionedRow } from '@bento-bus/core';
import { fault } from './fault.ts';
import type { EventPlace, PlacedEvent } from './placed-event.ts';
import { definitionFor, type Projection } from './projection.ts';
import { rowKey } from './row-key.ts';
import { streamName } from './streams.ts';

/** A row of any model. */
type AnyRow = RowOf<ReadModel>;

/** An event that a projection could not take in. The stream's row stays at the version before it. */
export interface EventFailure {
  readonly projection: Projection;
  /** The event that failed; what comes after it in its stream waits. */
  readonly event: EventPlace;
  /** What was thrown: by the schema, by `evolve`, or by the store that refused the row. */
  readonly error: unknown;
}

/** An entity's row and the version it is a function of. */
export interface RowState {
  readonly row: AnyRow | undefined;
  readonly version: number;
}

/** What some events make of a row: up to the first that fails. */
export interface Folded extends RowState {
  /** One list of rows a table of facts. */
  readonly facts: readonly (readonly VersionedRow<ReadModel>[])[];
  readonly failure: EventFailure | undefined;
}

/** Folds events, in order, into a row. Event types that the projection does not handle change nothing, the version neither. */
export async function fold(projection: Projection, from: RowState, events: readonly PlacedEvent[]): Promise<Folded> {
  let { row, version } = from;
  const facts: VersionedRow<ReadModel>[][] = projection.facts.map(() => []);
  for (const event of events) {
    const { place } = event;
    const definition = definitionFor(projection, place);
    if (!definition) continue;
    try {
      const { id, stream, streamVersion, time, type } = place;
      const read = event.read(definition);
      const data = isPromise(read) ? await read : read;
      const projected = { id, type, time, stream, streamVersion, data };
      const next = projection.evolve(row, projected);
      checkKey(projection, place, next);
      // All tables first: an event leaves all of its facts or none.
      const rows = projection.facts.map((table) => table.rows(projected, next));
      for (const [index, list] of rows.entries()) {
        for (const fact of list) facts[index]?.push({ row: fact, streamVersion });
      }
      row = next;
      version = streamVersion;
    } catch (error) {
      return { row, version, facts, failure: { projection, event: place, error } };
    }
  }
  return { row, version, facts, failure: undefined };
}

/** A row under another key would never be found again. */
function checkKey(projection: Projection, { stream }: EventPlace, row: AnyRow): void {
  const { model, name } = projection;
  const [expected, found] = [rowKey(model, projection.key(stream)), rowKey(model, row)];
  if (expected === found) return;
  const cause = `evolve made a row with the key ${found}, but key() gives ${expected}. Make them agree`;
  throw fault('VALIDATION', `project "${streamName(stream)}" into "${name}"`, cause);
}
