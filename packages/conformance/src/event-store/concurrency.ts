import assert from 'node:assert/strict';
import {
  type ConcurrencyError,
  type EventStore,
  isBentoError,
  type NewEvent,
  type Position,
  type StreamId,
} from '@bento-bus/core';
import { assertSameIds } from '../same-ids.ts';
import {
  assertStream,
  type EventStoreContext,
  type EventStoreScenario,
  event,
  events,
  idsOf,
  listed,
  scenario,
} from './context.ts';

/** Appends one event to a stream that others write to as well: again at the version that a conflict names, until it has won. */
async function appendStubbornly(
  store: EventStore,
  stream: StreamId,
  sent: NewEvent,
): Promise<{ readonly version: number; readonly position: Position }> {
  for (let expected = 0; ; ) {
    try {
      return { version: expected + 1, position: await store.saveEvents(stream, [sent], expected) };
    } catch (error) {
      if (!isBentoError(error, 'CONCURRENCY')) throw error;
      const { actualVersion } = error as ConcurrencyError;
      assert.ok(
        actualVersion > expected,
        `a conflict at version ${expected} with a stream at version ${actualVersion}`,
      );
      expected = actualVersion;
    }
  }
}

/** One winner a version, none lost: what each writer was told is what the stream says. */
async function contend(c: EventStoreContext, stores: readonly EventStore[], writers: number): Promise<void> {
  const stream = c.stream();
  const sent = Array.from({ length: writers }, (_, writer) => event({ data: { writer } }));
  const wins = await Promise.all(
    sent.map((one, writer) => appendStubbornly(stores[writer % stores.length] as EventStore, stream, one)),
  );
  const versions = wins.map(({ version }) => version).toSorted((a, b) => a - b);
  assert.deepEqual(
    versions,
    Array.from({ length: writers }, (_, index) => index + 1),
    'one winner a version',
  );
  for (const store of stores) {
    const stored = await listed(store.getEvents(stream));
    assertSameIds(idsOf(stored), idsOf(sent), 'stored');
    for (const [writer, { version, position }] of wins.entries()) {
      const winner = stored[version - 1];
      assert.deepEqual(
        [winner?.id, winner?.streamVersion, winner?.position],
        [sent[writer]?.id, version, position],
        `version ${version} belongs to the writer that was told so`,
      );
    }
  }
}

export const concurrencyScenarios: readonly EventStoreScenario[] = [
  scenario('gives 50 writers of one stream one winner a version and loses none', [], async (c) => {
    await contend(c, [c.store], 50);
  }),

  scenario('gives writers at four stores of one log one winner a version and loses none', ['second'], async (c) => {
    const others = await Promise.all([c.second(), c.second(), c.second()]);
    await contend(c, [c.store, ...others], 40);
  }),

  scenario('takes the writers of many streams at once', [], async (c) => {
    const streams = Array.from({ length: 40 }, () => c.stream());
    const sent = streams.map(() => events(12));
    const write = async (stream: StreamId, own: readonly NewEvent[]): Promise<void> => {
      for (let version = 0; version < own.length; version += 3)
        await c.store.saveEvents(stream, own.slice(version, version + 3), version);
    };
    await Promise.all(streams.map((stream, index) => write(stream, sent[index] ?? [])));
    for (const [index, stream] of streams.entries()) await assertStream(c.store, stream, sent[index] ?? []);
    const all = await c.all();
    assertSameIds(idsOf(all), idsOf(sent.flat()), 'in the log');
    assert.equal(new Set(all.map(({ position }) => position)).size, all.length, 'each event has a position of its own');
  }),

  scenario('shows a reader that follows the log each event once, in order, while writers write', [], async (c) => {
    await follow(c, c.store, [c.store]);
  }),

  scenario('shows it to the reader of another store of the log too', ['second'], async (c) => {
    await follow(c, await c.second(), [c.store, await c.second()]);
  }),
];

/** Writers append to streams of their own while a reader follows the log from position to position. */
async function follow(c: EventStoreContext, reader: EventStore, stores: readonly EventStore[]): Promise<void> {
  const start = await reader.head();
  const sent = Array.from({ length: 8 }, () => events(30));
  const write = async (own: readonly NewEvent[], index: number): Promise<void> => {
    const stream = c.stream(`writer-${index}`);
    const store = stores[index % stores.length] as EventStore;
    for (let version = 0; version < own.length; ) {
      const chunk = own.slice(version, version + 1 + Math.floor(c.random() * 3));
      await store.saveEvents(stream, chunk, version);
      version += chunk.length;
    }
  };
  const writing = Promise.all(sent.map(write));
  const total = sent.flat().length;
  const seen = new Map<string, string[]>();
  let count = 0;
  let at = start;
  const read = async (): Promise<boolean> => {
    const limit = 1 + Math.floor(c.random() * 20);
    for await (const { id, stream, streamVersion, position } of reader.readAll(at, { limit })) {
      assert.ok(position > at, `position ${position} comes after ${at}`);
      at = position;
      if (stream.type !== c.type) continue;
      const ids = seen.get(stream.id) ?? [];
      seen.set(stream.id, [...ids, id]);
      count += 1;
      assert.equal(streamVersion, ids.length + 1, `next version of ${stream.id}`);
    }
    return count >= total;
  };
  let fault: { readonly error: unknown } | undefined;
  const reading = c.eventually('the reader having seen all events', () =>
    // What is wrong once is not made good by reading on.
    read().catch((error: unknown) => Boolean((fault = { error }))),
  );
  await Promise.all([writing, reading]);
  if (fault !== undefined) throw fault.error;
  for (const [index, own] of sent.entries()) assert.deepEqual(seen.get(`writer-${index}`), idsOf(own));
  assert.equal(at, await reader.head(), 'nothing is left to read');
}
