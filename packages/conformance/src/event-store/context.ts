import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { EventStore, NewEvent, Position, StoredEvent, StreamId } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { uniqueName } from '../names.ts';
import { cleanupLimit, type Scenario, unmetNeeds } from '../scenario.ts';
import { seededRandom } from '../seeded-random.ts';
import { Watch } from '../watch.ts';
import { type EventStoreHarness, type EventStoreNeed, eventStoreNeeds } from './harness.ts';

/** What a scenario works with. Its streams have a type of its own, so that a log may be used by many. */
export class EventStoreContext extends Watch {
  readonly harness: EventStoreHarness;
  readonly random: () => number;
  readonly type: string = uniqueName('conformance');
  #first: EventStore | undefined;
  readonly #stores: EventStore[] = [];

  constructor(harness: EventStoreHarness) {
    super(harness);
    this.harness = harness;
    this.random = seededRandom(harness.seed ?? 1);
  }

  async begin(): Promise<void> {
    this.#first = await this.#opened(this.harness.createStore());
  }

  async end(): Promise<void> {
    // How closing goes is judged by the scenarios about closing only.
    const closed = Promise.allSettled(this.#stores.map(async (store) => store.close()));
    await withDeadline(closed, cleanupLimit(this.harness), () => {});
  }

  get store(): EventStore {
    assert.ok(this.#first);
    return this.#first;
  }

  async second(): Promise<EventStore> {
    assert.ok(this.harness.createSecond);
    return this.#opened(this.harness.createSecond(this.store));
  }

  stream(id: string = randomUUID()): StreamId {
    return { type: this.type, id };
  }

  /** Events of the scenario after a position, in the order of the log. */
  async all(after: Position = '', store: EventStore = this.store): Promise<StoredEvent[]> {
    return (await listed(store.readAll(after))).filter(({ stream }) => stream.type === this.type);
  }

  async #opened(opening: Promise<EventStore>): Promise<EventStore> {
    const store = await this.within('opening a store', opening);
    this.#stores.push(store);
    return store;
  }
}

let counter = 0;

export function event(fields: Partial<NewEvent> = {}): NewEvent {
  counter += 1;
  return {
    id: randomUUID(),
    type: 'counted',
    version: 1,
    data: { counter },
    time: 1_700_000_000_000 + counter * 1_000,
    ...fields,
  };
}

export const events = (count: number): NewEvent[] => Array.from({ length: count }, () => event());

/** All that an iterable gives; a throw at the call is a rejection too. */
export async function listed<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

export const idsOf = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id);

/**
 * Both are the same in JSON. Compared as text first, which is cheap; values for the diff are made anew, since a test runner may give
 * those of other realms other prototypes.
 */
function assertSameJson(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [textOf(actual), textOf(expected)];
  if (found !== wanted) assert.deepEqual(JSON.parse(found), JSON.parse(wanted), what);
}

// What JSON leaves out must not pass for null.
const textOf = (value: unknown): string => JSON.stringify(value === undefined ? { missing: true } : value);

/** The stored event is what was appended at this version. */
export function assertStored(
  actual: StoredEvent | undefined,
  stream: StreamId,
  streamVersion: number,
  sent: NewEvent,
): void {
  assert.ok(actual, `event ${streamVersion} of the stream is missing`);
  // Without metadata: none or empty, as the store likes.
  const { id, type, data, time, eventVersion, metadata = {}, position } = actual;
  const { type: streamType, id: streamId } = actual.stream;
  assert.ok(typeof position === 'string' && position !== '', 'an event has a position');
  assertSameJson(
    { stream: { type: streamType, id: streamId }, streamVersion: actual.streamVersion, id, type, eventVersion, time },
    { stream, streamVersion, id: sent.id, type: sent.type, eventVersion: sent.version, time: sent.time },
    `event ${streamVersion} of the stream`,
  );
  assertSameJson(metadata, sent.metadata ?? {}, 'metadata');
  assertSameJson(data, sent.data, 'data');
}

/** The stream holds exactly these events. */
export async function assertStream(store: EventStore, stream: StreamId, sent: readonly NewEvent[]): Promise<void> {
  const found = await listed(store.getEvents(stream));
  assert.deepEqual(idsOf(found), idsOf(sent), `events of stream ${stream.id}`);
  for (const [index, one] of sent.entries()) assertStored(found[index], stream, index + 1, one);
}

/** A promise of the event store port. */
export type EventStoreScenario = Scenario<EventStoreHarness>;

/** Makes a scenario; `needs` are what the harness must offer. */
export const scenario = (
  name: string,
  needs: readonly EventStoreNeed[],
  body: (context: EventStoreContext) => Promise<void>,
): EventStoreScenario => ({
  name,
  unmet: (harness) => unmetNeeds(eventStoreNeeds, needs, harness),
  run: async (harness) => {
    const context = new EventStoreContext(harness);
    try {
      await context.begin();
      await context.whole(body(context));
    } finally {
      await context.end();
    }
  },
});
