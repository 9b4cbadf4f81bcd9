import assert from 'node:assert/strict';
import { rejection } from '../errors.ts';
import {
  assertStream,
  type EventStoreContext,
  type EventStoreScenario,
  events,
  idsOf,
  listed,
  scenario,
} from './context.ts';

/** Some streams, appended to in turn; resolves with the ids in the order of the appends. */
async function appendInTurn(c: EventStoreContext, streams: number, rounds: number): Promise<string[]> {
  const ids: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let stream = 0; stream < streams; stream += 1) {
      const sent = events(2);
      await c.store.saveEvents(c.stream(`stream-${stream}`), sent, round * 2);
      ids.push(...idsOf(sent));
    }
  }
  return ids;
}

export const readScenarios: readonly EventStoreScenario[] = [
  scenario('reads a stream from a version on, and one that has no events as empty', [], async (c) => {
    const stream = c.stream();
    const sent = events(10);
    await c.store.saveEvents(stream, sent, 0);
    for (const from of [1, 2, 10]) {
      const found = await listed(c.store.getEvents(stream, from));
      assert.deepEqual(idsOf(found), idsOf(sent.slice(from - 1)), `from version ${from}`);
      assert.equal(found[0]?.streamVersion, from);
    }
    assert.deepEqual(await listed(c.store.getEvents(stream, 11)), []);
    assert.deepEqual(await listed(c.store.getEvents(c.stream())), []);
    assert.deepEqual(await listed(c.store.getEvents(c.stream(), 3)), []);
  }),

  scenario('reads a long stream whole and in order', [], async (c) => {
    const { volume = 2_500 } = c.harness;
    const stream = c.stream();
    const sent = events(volume);
    for (let version = 0; version < volume; version += 500)
      await c.store.saveEvents(stream, sent.slice(version, version + 500), version);
    await assertStream(c.store, stream, sent);
    const end = await listed(c.store.getEvents(stream, volume - 99));
    assert.deepEqual(idsOf(end), idsOf(sent.slice(-100)), 'the last 100 events');
  }),

  scenario('reads many streams at once', [], async (c) => {
    const streams = Array.from({ length: 30 }, () => c.stream());
    const sent = streams.map((_, index) => events(1 + index));
    await Promise.all(streams.map((stream, index) => c.store.saveEvents(stream, sent[index] ?? [], 0)));
    await Promise.all(streams.map((stream, index) => assertStream(c.store, stream, sent[index] ?? [])));
  }),

  scenario('reads the log in the order of commits, from any position on', [], async (c) => {
    const start = await c.store.head();
    const ids = await appendInTurn(c, 4, 5);
    const all = await c.all(start);
    assert.deepEqual(idsOf(all), ids);
    assert.equal(all.at(-1)?.position, await c.store.head(), 'the head is the position of the last event');
    for (const [index, { position }] of all.entries()) {
      if (index % 7 !== 0) continue;
      assert.deepEqual(idsOf(await c.all(position)), ids.slice(index + 1), `after event ${index + 1}`);
    }
    const whole = await c.all('');
    assert.deepEqual(idsOf(whole), ids, 'from before the first');
    for (const { stream, streamVersion, position } of whole.slice(-5)) {
      const [found] = await listed(c.store.getEvents(stream, streamVersion));
      assert.equal(found?.position, position, 'an event has one position, however it is read');
    }
  }),

  scenario('reads at most as many events of the log as asked for', [], async (c) => {
    const start = await c.store.head();
    const ids = await appendInTurn(c, 3, 4);
    for (const limit of [0, 1, 2, 7, ids.length, ids.length + 10]) {
      const found = await listed(c.store.readAll(start, { limit }));
      assert.deepEqual(idsOf(found), ids.slice(0, limit), `limit ${limit}`);
    }
    // Page by page, also where a page ends within an append.
    const paged: string[] = [];
    for (let at = start, page = 3; page === 3; ) {
      const found = await listed(c.store.readAll(at, { limit: 3 }));
      const last = found.at(-1)?.position;
      assert.ok(last === undefined || last > at, 'a page stands behind the one before it');
      paged.push(...idsOf(found));
      page = found.length;
      at = last ?? at;
    }
    assert.deepEqual(paged, ids);
  }),

  scenario('gives positions of one width, whose order as strings is the order of the log', [], async (c) => {
    await appendInTurn(c, 3, 5);
    await c.store.saveEvents(c.stream(), events(120), 0);
    const positions = (await listed(c.store.readAll(''))).map(({ position }) => position);
    assert.equal(new Set(positions.map(({ length }) => length)).size, 1, 'widths');
    // Not by locale: the order of Position is that of `<`.
    for (const [index, position] of positions.entries()) {
      const before = positions[index - 1] ?? '';
      assert.ok(before < position, `position ${position} comes after ${before}`);
    }
  }),

  scenario('reads nothing after the head, and what comes later when it is asked again', [], async (c) => {
    await c.store.saveEvents(c.stream(), events(3), 0);
    const head = await c.store.head();
    assert.deepEqual(await listed(c.store.readAll(head)), []);
    const sent = events(2);
    await c.store.saveEvents(c.stream(), sent, 0);
    assert.deepEqual(idsOf(await listed(c.store.readAll(head))), idsOf(sent));
  }),

  scenario('stops reading the log when its signal aborts, with ABORTED', [], async (c) => {
    const start = await c.store.head();
    await c.store.saveEvents(c.stream(), events(500), 0);
    await rejection('reading', listed(c.store.readAll(start, { signal: AbortSignal.abort() })), 'ABORTED');
    const controller = new AbortController();
    let seen = 0;
    const read = async (): Promise<void> => {
      for await (const { id } of c.store.readAll(start, { signal: controller.signal })) {
        assert.ok(id);
        seen += 1;
        if (seen === 3) controller.abort();
      }
    };
    await rejection('reading on after the signal aborted', read(), 'ABORTED');
    assert.ok(seen < 500, 'it read to the end');
  }),

  scenario('lets a reader stop early', [], async (c) => {
    const stream = c.stream();
    const sent = events(300);
    await c.store.saveEvents(stream, sent, 0);
    for (let round = 0; round < 5; round += 1) {
      for await (const { streamVersion } of c.store.getEvents(stream)) if (streamVersion === 2) break;
      for await (const { position } of c.store.readAll('')) if (position !== '') break;
    }
    await assertStream(c.store, stream, sent);
  }),
];
