import {
  defineReadModel,
  type Position,
  type ReadModel,
  type ReadModelStore,
  type RowOf,
  type StreamId,
} from '@bento-bus/core';
import { reasonOf } from './fault.ts';
import type { EventFailure } from './fold.ts';
import type { Projection } from './projection.ts';
import { rowKey } from './row-key.ts';

/**
 * Events that a projection could not take in: one row a projection and stream, the first event that its row lacks. A row counts only
 * while the entity's row is behind `streamVersion` and `state` is `'failed'`; `'superseded'` is one from before a rebuild.
 * An event that no stream could be named for is under its message id, with an empty stream type.
 */
export const failedEvents: ReadModel<{
  readonly projection: 'string';
  readonly modelVersion: 'integer';
  readonly streamType: 'string';
  readonly streamId: 'string';
  readonly streamVersion: 'integer';
  readonly eventId: 'string';
  readonly eventType: 'string';
  readonly position: 'string';
  readonly reason: 'string';
  readonly failedAt: 'time';
  readonly state: 'string';
}> = defineReadModel({
  name: 'failed_events',
  version: 1,
  key: ['projection', 'modelVersion', 'streamType', 'streamId'],
  columns: {
    projection: 'string',
    modelVersion: 'integer',
    streamType: 'string',
    streamId: 'string',
    streamVersion: 'integer',
    eventId: 'string',
    eventType: 'string',
    position: 'string',
    reason: 'string',
    failedAt: 'time',
    state: 'string',
  },
});

/** A recorded failure. */
export type FailedEvent = RowOf<typeof failedEvents>;

/** Longest reason that is kept, in UTF-16 units. */
const reasonLimit = 2_000;
/** Rows changed at once. */
const pageSize = 500;

/** What is recorded about a failure, whatever the projection is. */
export interface FailureRecord {
  readonly projection: string;
  readonly modelVersion: number;
  readonly stream: StreamId;
  readonly streamVersion: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly position: Position;
  readonly error: unknown;
}

/** What is recorded of a failure. */
export const recordOf = ({ error, event, projection }: EventFailure): FailureRecord => ({
  projection: projection.name,
  modelVersion: projection.model.version,
  stream: event.stream,
  streamVersion: event.streamVersion,
  eventId: event.id,
  eventType: event.type,
  position: event.position,
  error,
});

/** Writes and finds {@link failedEvents}. Rows are versioned by how often they changed: unlike a projection's, they follow from no stream. */
export class FailureLog {
  readonly #readModels: ReadModelStore;
  readonly #now: () => number;

  constructor(readModels: ReadModelStore, now: () => number = Date.now) {
    this.#readModels = readModels;
    this.#now = now;
  }

  /** Resolves once the failures are recorded; those that are already are left as they are. */
  async record(failures: readonly FailureRecord[]): Promise<void> {
    const rows = failures.map((failure) => rowOf(failure, this.#now()));
    const known = await this.#versions(rows);
    const changed = rows.filter((row) => !isSame(known.get(rowKey(failedEvents, row))?.row, row));
    if (changed.length === 0) return;
    await this.#readModels.write(
      failedEvents,
      changed.map((row) => ({ row, streamVersion: (known.get(rowKey(failedEvents, row))?.streamVersion ?? 0) + 1 })),
    );
  }

  /** Those of the failures that are not recorded. */
  async unrecorded(failures: readonly EventFailure[]): Promise<EventFailure[]> {
    if (failures.length === 0) return [];
    const rows = failures.map((failure) => rowOf(recordOf(failure), 0));
    const known = await this.#versions(rows);
    return failures.filter((_, index) => {
      const row = rows[index] as FailedEvent;
      return !isSame(known.get(rowKey(failedEvents, row))?.row, row);
    });
  }

  /** Recorded failures of some streams, by stream. */
  async find(projection: Projection, streams: readonly StreamId[]): Promise<FailedEvent[]> {
    const keys = streams.map(({ id, type }) => ({ ...partOf(projection), streamType: type, streamId: id }));
    const found = await this.#readModels.get(failedEvents, keys);
    return found.map(({ row }) => row).filter(({ state }) => state === 'failed');
  }

  /** Before a rebuild: what failed may succeed now. */
  async supersede(projection: Projection): Promise<void> {
    const where = { ...partOf(projection), state: 'failed' };
    for (;;) {
      const rows = await this.#readModels.find(failedEvents, { where, limit: pageSize });
      if (rows.length === 0) return;
      const known = await this.#versions(rows);
      await this.#readModels.write(
        failedEvents,
        [...known.values()].map(({ row, streamVersion }) => ({
          row: { ...row, state: 'superseded' },
          streamVersion: streamVersion + 1,
        })),
      );
    }
  }

  async #versions(rows: readonly FailedEvent[]): Promise<Map<string, { row: FailedEvent; streamVersion: number }>> {
    const found = await this.#readModels.get(
      failedEvents,
      rows.map(({ modelVersion, projection, streamId, streamType }) => ({
        projection,
        modelVersion,
        streamType,
        streamId,
      })),
    );
    return new Map(found.map((version) => [rowKey(failedEvents, version.row), version]));
  }
}

const partOf = ({ model, name }: Projection): { readonly projection: string; readonly modelVersion: number } => ({
  projection: name,
  modelVersion: model.version,
});

const isSame = (known: FailedEvent | undefined, row: FailedEvent): boolean =>
  known?.state === 'failed' && known.eventId === row.eventId && known.streamVersion === row.streamVersion;

/** A message from outside may have half a surrogate pair anywhere, and cutting can make one; no store takes it. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

function rowOf({ error, stream, ...failure }: FailureRecord, failedAt: number): FailedEvent {
  return {
    ...failure,
    eventId: wellFormed(failure.eventId),
    eventType: wellFormed(failure.eventType),
    position: wellFormed(failure.position),
    streamType: wellFormed(stream.type),
    streamId: wellFormed(stream.id),
    reason: wellFormed(reasonOf(error).slice(0, reasonLimit)),
    failedAt,
    state: 'failed',
  };
}
