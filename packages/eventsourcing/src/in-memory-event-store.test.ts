import type { EventStore, NewEvent, StoredEvent } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createInMemoryEventStore } from './in-memory-event-store.ts';

const stream = { type: 'order', id: 'o-1' };
const event = (id: string, data: unknown = { id }): NewEvent => ({ id, type: 'noted', version: 1, data, time: 1 });
const collect = async (events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> => {
  const list: StoredEvent[] = [];
  for await (const one of events) list.push(one);
  return list;
};
const filled = async (count: number): Promise<EventStore> => {
  const store = createInMemoryEventStore();
  for (let index = 0; index < count; index++) {
    await store.saveEvents({ type: 'order', id: `o-${index % 3}` }, [event(`e-${index}`)], Math.floor(index / 3));
  }
  return store;
};

describe('the event store in memory', () => {
  it('gives positions of one width whose order is commit order, without gaps, in pages of any size', async () => {
    const store = await filled(30);
    const all = await collect(store.readAll(''));
    expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, index) => `e-${index}`));
    expect(new Set(all.map(({ position }) => position.length)).size).toBe(1);
    expect(all.map(({ position }) => position)).toEqual(all.map(({ position }) => position).toSorted());
    expect(await store.head()).toBe(all.at(-1)?.position);
    const rest = await collect(store.readAll(all[9]?.position ?? '', { limit: 7 }));
    expect(rest.map(({ id }) => id)).toEqual(all.slice(10, 17).map(({ id }) => id));
  });

  it('is a log of its own each time', () => {
    expect(createInMemoryEventStore().identity).not.toBe(createInMemoryEventStore().identity);
  });

  it('lets one of 50 writers of one version win', async () => {
    const store = createInMemoryEventStore();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, writer) => store.saveEvents(stream, [event(`w-${writer}`)], 0)),
    );
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(lost).toHaveLength(49);
    expect(lost[0]?.reason).toMatchObject({ code: 'CONCURRENCY', expectedVersion: 0, actualVersion: 1 });
    expect(await collect(store.getEvents(stream))).toHaveLength(1);
  });

  it('takes a retry of the same ids as a success, also when the stream has moved on, and appends nothing', async () => {
    const store = createInMemoryEventStore();
    const first = await store.saveEvents(stream, [event('a'), event('b')], 0);
    await store.saveEvents(stream, [event('c')], 2);
    expect(await store.saveEvents(stream, [event('a'), event('b')], 0)).toBe(first);
    expect((await collect(store.readAll(''))).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    for (const ids of [
      ['a', 'x'],
      ['b', 'c'],
      ['a', 'b', 'c', 'd'],
    ]) {
      const retry = store.saveEvents(
        stream,
        ids.map((id) => event(id)),
        0,
      );
      await expect(retry).rejects.toMatchObject({ code: 'CONCURRENCY' });
    }
  });

  it('keeps nothing of a refused append and says why', async () => {
    const store = createInMemoryEventStore();
    const refused: [NewEvent[], RegExp][] = [
      [[], /at least one/],
      [[event('a'), event('a')], /one id/],
      [[event('')], /needs an id/],
      [[{ ...event('a'), version: 0 }], /version 0/],
      [[{ ...event('a'), time: 1.5 }], /epoch milliseconds/],
      [[{ ...event('a'), metadata: { $own: 'x' } }], /reserved/],
      [[event('a'), event('b', { big: 1n })], /does not keep its data whole/],
      [[event('a'), event('b', { at: new Date(0) })], /data\.at/],
      [[event('a', { list: [1, undefined] })], /data\.list/],
      [[event('a', { deep: [{ map: new Map() }] })], /data\.deep\.0\.map/],
      [[event('a', { no: Number.NaN })], /data\.no/],
      [[{ ...event('a'), data: undefined }], /data/],
      [[event('a', { half: '\uD83D' })], /data\.half/],
      [[event('a', JSON.parse('{"own":{"__proto__":1}}'))], /data\.own/],
      [[event('a', JSON.parse('['.repeat(65) + ']'.repeat(65)))], /data\.0/],
    ];
    for (const [events, message] of refused) {
      await expect(store.saveEvents(stream, events, 0)).rejects.toMatchObject({
        code: 'VALIDATION',
        message: expect.stringMatching(message),
      });
    }
    await expect(store.saveEvents(stream, [event('a')], -1)).rejects.toMatchObject({ code: 'VALIDATION' });
    await expect(store.saveEvents({ type: '', id: 'x' }, [event('a')], 0)).rejects.toMatchObject({
      code: 'VALIDATION',
    });
    expect(await store.head()).toBe('');
  });

  it('shares nothing with the writer nor between two readers', async () => {
    const store = createInMemoryEventStore();
    const data = { tags: ['a'], gone: undefined };
    await store.saveEvents(stream, [event('a', data)], 0);
    data.tags.push('b');
    const [first] = await collect(store.getEvents(stream));
    expect(first?.data).toStrictEqual({ tags: ['a'] });
    (first as unknown as { data: typeof data }).data.tags.push('c');
    expect((await collect(store.getEvents(stream)))[0]?.data).toStrictEqual({ tags: ['a'] });
  });

  it('tells streams apart whatever characters their names have', async () => {
    const store = createInMemoryEventStore();
    await store.saveEvents({ type: 'a', id: 'b/c' }, [event('1')], 0);
    await store.saveEvents({ type: 'a/b', id: 'c' }, [event('2')], 0);
    expect(await collect(store.getEvents({ type: 'a', id: 'b/c' }))).toHaveLength(1);
  });

  it('reads a stream from a version on', async () => {
    const store = createInMemoryEventStore();
    await store.saveEvents(stream, [event('a'), event('b'), event('c')], 0);
    const events = await collect(store.getEvents(stream, 2));
    expect(events.map(({ id, streamVersion }) => [id, streamVersion])).toEqual([
      ['b', 2],
      ['c', 3],
    ]);
  });

  it('refuses a position that is not its own, stops at an aborted signal, and is closed once closed', async () => {
    const store = await filled(3);
    await expect(collect(store.readAll('7'))).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await expect(collect(store.readAll('', { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(store.close()).toBe(store.close());
    await store.close();
    await expect(store.head()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.saveEvents(stream, [event('z')], 0)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(collect(store.readAll(''))).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(collect(store.getEvents(stream))).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
