import { type EventStore, isBentoError, type ReadModelStore } from '@bento-bus/core';
import { fault, reasonOf } from './fault.ts';
import { type EventFailure, type Folded, fold, type RowState } from './fold.ts';
import { type EventPlace, ofStored, type PlacedEvent } from './placed-event.ts';
import { definitionFor, type Projection } from './projection.ts';
import { rowKey } from './row-key.ts';
import { streamKey, streamName } from './streams.ts';

/** One stream on its way to a version. */
interface Work {
  /** Events at hand, ascending, each version once. */
  readonly given: readonly PlacedEvent[];
  /** The last of them: the version to reach. */
  readonly last: EventPlace;
  state: RowState;
  /** Seen up to this version; beyond the row's where the last events are of types that the projection passes over. */
  cursor: number;
  failure: EventFailure | undefined;
}

/** One step of one stream, before it is written. */
interface Step {
  readonly work: Work;
  readonly events: readonly PlacedEvent[];
  readonly folded: Folded;
}

/** Events folded before they are written, over all streams: the bound of memory where streams have long gaps. */
const eventsPerRound = 5_000;

/** Codes with which a store refuses a value, as opposed to being unable to write. */
const refusals: ReadonlySet<string> = new Set(['VALIDATION', 'CODEC', 'OVERSIZE']);
const isRefusal = (error: unknown): boolean => isBentoError(error) && refusals.has(error.code);

/**
 * Brings the rows of one projection up to given events: rows are read once, versions at or below the row's are skipped, gaps are loaded
 * from the store. Facts are written first and entity rows last, one write a model; a crash in between leaves a row that does not know
 * of its facts, so that they are written again, the same. A stream that fails holds up no other.
 */
export class Applier {
  readonly #projection: Projection;
  readonly #store: EventStore;
  readonly #readModels: ReadModelStore;

  constructor(projection: Projection, store: EventStore, readModels: ReadModelStore) {
    this.#projection = projection;
    this.#store = store;
    this.#readModels = readModels;
  }

  /** Resolves with the failures, at most one a stream, once all the rest survives a crash. Rejects when a store cannot read or write. */
  async apply(events: readonly PlacedEvent[]): Promise<readonly EventFailure[]> {
    const streams = new Map<string, Map<number, PlacedEvent>>();
    for (const event of events) {
      if (!definitionFor(this.#projection, event.place)) continue;
      const stream = streamKey(event.place.stream);
      const versions = streams.get(stream) ?? new Map<number, PlacedEvent>();
      streams.set(stream, versions.set(event.place.streamVersion, event));
    }
    const given = [...streams.values()].map((versions) =>
      [...versions.values()].toSorted((a, b) => a.place.streamVersion - b.place.streamVersion),
    );
    return given.length === 0 ? [] : this.#applyStreams(given);
  }

  async #applyStreams(given: readonly (readonly PlacedEvent[])[]): Promise<readonly EventFailure[]> {
    let works: readonly Work[];
    try {
      works = await this.#begin(given);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [events, another] = given;
      if (!another) return events?.[0] ? [this.#failure(events[0].place, error)] : [];
      // One key spoils the read of all: every stream by itself finds it.
      const failures: EventFailure[] = [];
      for (const stream of given) failures.push(...(await this.#applyStreams([stream])));
      return failures;
    }
    let left = works.filter(({ last, state }) => last.streamVersion > state.version);
    while (left.length > 0) left = await this.#round(left, Math.max(1, Math.floor(eventsPerRound / left.length)));
    return works.flatMap(({ failure }) => failure ?? []);
  }

  /** Reads the rows as they stand. */
  async #begin(given: readonly (readonly PlacedEvent[])[]): Promise<readonly Work[]> {
    const { model, name } = this.#projection;
    const works = new Map<string, Work>();
    const keys = given.map((events) => {
      const last = (events.at(-1) as PlacedEvent).place;
      const row = this.#keyOf(last);
      const key = rowKey(model, row);
      const other = works.get(key);
      if (other) {
        const names = `"${streamName(other.last.stream)}" and "${streamName(last.stream)}"`;
        throw fault('CONFIGURATION', `project ${names} into "${name}"`, `both have the key ${key}. Mend key()`);
      }
      works.set(key, { given: events, last, state: { row: undefined, version: 0 }, cursor: 0, failure: undefined });
      return row;
    });
    for (const { row, streamVersion } of await this.#readModels.get(model, keys)) {
      const work = works.get(rowKey(model, row));
      if (work) Object.assign(work, { state: { row, version: streamVersion }, cursor: streamVersion });
    }
    return [...works.values()];
  }

  #keyOf({ stream }: EventPlace): ReturnType<Projection['key']> {
    try {
      return this.#projection.key(stream);
    } catch (cause) {
      const what = `project "${streamName(stream)}" into "${this.#projection.name}"`;
      throw fault('VALIDATION', what, `key() failed: ${reasonOf(cause)}`, { cause });
    }
  }

  /** Moves each stream on by at most `limit` events; resolves with those that are not there yet. */
  async #round(works: readonly Work[], limit: number): Promise<Work[]> {
    const steps = await Promise.all(works.map((work) => this.#step(work, limit)));
    try {
      await this.#write(steps);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [step, anotherStep] = steps;
      const [event, anotherEvent] = step?.events ?? [];
      if (step && event && !anotherStep && !anotherEvent) {
        step.work.failure = this.#failure(event.place, error);
        return [];
      }
      // One value spoils the write of all: every event by itself finds it.
      for (const work of works) {
        for (let left = [work]; left.length > 0; ) left = await this.#round(left, 1);
      }
      return [];
    }
    for (const { events, folded, work } of steps) {
      work.state = { row: folded.row, version: folded.version };
      work.failure = folded.failure;
      work.cursor = events.at(-1)?.place.streamVersion ?? work.cursor;
    }
    return works.filter(({ cursor, failure, last }) => !failure && cursor < last.streamVersion);
  }

  async #step(work: Work, limit: number): Promise<Step> {
    const events = await this.#next(work, limit);
    const folded = await fold(this.#projection, work.state, events);
    if (events.length > 0) return { work, events, folded };
    const what = `project version ${work.last.streamVersion} of "${streamName(work.last.stream)}"`;
    const late = fault('HANDLER', what, 'the store does not show it. Was it published from another store?');
    return { work, events, folded: { ...folded, failure: this.#failure(work.last, late) } };
  }

  /** The next events of a stream: those at hand where they follow, else the store's. */
  async #next({ cursor, given, last }: Work, limit: number): Promise<readonly PlacedEvent[]> {
    const start = given.findIndex(({ place }) => place.streamVersion > cursor);
    const candidates = given.slice(start, start + limit);
    const following = candidates.filter(({ place }, index) => place.streamVersion === cursor + index + 1);
    if (following.length > 0) return following;
    const loaded: PlacedEvent[] = [];
    for await (const event of this.#store.getEvents(last.stream, cursor + 1)) {
      loaded.push(ofStored(event));
      if (loaded.length >= limit || event.streamVersion >= last.streamVersion) break;
    }
    return loaded;
  }

  async #write(steps: readonly Step[]): Promise<void> {
    const { facts, model } = this.#projection;
    const tables = facts.map((table, index) => ({
      model: table.model,
      rows: steps.flatMap(({ folded }) => folded.facts[index] ?? []),
    }));
    await Promise.all(
      tables.filter(({ rows }) => rows.length > 0).map((table) => this.#readModels.write(table.model, table.rows)),
    );
    const rows = steps.flatMap(({ folded: { row, version }, work }) =>
      row && version > work.state.version ? [{ row, streamVersion: version }] : [],
    );
    if (rows.length > 0) await this.#readModels.write(model, rows);
  }

  #failure(event: EventPlace, error: unknown): EventFailure {
    return { projection: this.#projection, event, error };
  }
}
