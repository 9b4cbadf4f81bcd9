import { type ClickHouse, createClickHouseEventStore } from '@bento-bus/clickhouse-store';
import type { EventStore } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { all, dataOf, Engine, newEvent, newEvents, order, thrown, times } from './support/engine.ts';
import { type FaultyClient, faultyClient } from './support/faulty-client.ts';

const engine = new Engine();
let opened: ClickHouse;
let store: EventStore;
let counted: { readonly store: EventStore; readonly seen: FaultyClient['seen'] };

async function open(): Promise<void> {
  opened = await engine.open();
  const net = faultyClient(opened.client);
  store = opened.eventStore;
  counted = {
    store: await createClickHouseEventStore({ client: net.client, database: opened.database }),
    seen: net.seen,
  };
}
beforeAll(open);
afterAll(() => engine.close());

/** Statements that reached the engine meanwhile. */
async function statements(work: () => Promise<unknown>): Promise<string[]> {
  const before = counted.seen.length;
  await work();
  return counted.seen.slice(before);
}

const load = (i: number): Promise<unknown[]> => all(counted.store.getEvents(order(`many-${i}`)));

describe('getEvents', () => {
  it('loads 500 streams at once, there or not, with a handful of queries', async () => {
    await times(250, (i) => store.saveEvents(order(`many-${i}`), newEvents(3), 0));
    await times(500, load);
    let lengths: number[] = [];
    const sql = await statements(async () => {
      lengths = (await times(500, load)).map((events) => events.length);
    });
    expect(lengths).toEqual(Array.from({ length: 500 }, (_, i) => (i < 250 ? 3 : 0)));
    expect(sql.length).toBeLessThanOrEqual(3);
  });

  it('asks once for callers who want the same stream', async () => {
    await store.saveEvents(order('same'), newEvents(2), 0);
    const sql = await statements(() => times(20, () => all(counted.store.getEvents(order('same')))));
    expect(sql).toHaveLength(1);
  });

  it('keeps streams apart whose types or ids look alike', async () => {
    const streams = [
      { type: 'ab', id: 'c' },
      { type: 'a', id: 'bc' },
      { type: 'a', id: "b'c" },
      { type: 'a', id: 'b\\c' },
      { type: 'a', id: 'b\n\t\0c' },
      { type: 'a', id: '{id:String}; DROP TABLE x' },
      { type: 'é', id: '😀' },
    ];
    await Promise.all(streams.map((stream, n) => store.saveEvents(stream, [newEvent({ n })], 0)));
    const loaded = await Promise.all(streams.map((stream) => all(store.getEvents(stream))));
    expect(loaded.map((events) => events.map(({ stream, data }) => [stream, data]))).toEqual(
      streams.map((stream, n) => [[stream, { n }]]),
    );
    expect(
      (await all(store.readAll(''))).filter(({ stream }) => stream.type !== 'order').map(({ stream }) => stream),
    ).toEqual(streams);
  });

  it('gives a long stream in order, in pages, beside short ones and from any version', async () => {
    const long = newEvents(9_000);
    await store.saveEvents(order('long'), long, 0);
    const [whole, short, tail, beyond, again] = await Promise.all([
      all(store.getEvents(order('long'))),
      all(store.getEvents(order('same'))),
      all(store.getEvents(order('long'), 8_999)),
      all(store.getEvents(order('long'), 9_001)),
      all(store.getEvents(order('long'), -5)),
    ]);
    expect(whole.map(({ id }) => id)).toEqual(long.map(({ id }) => id));
    expect(whole.map(({ streamVersion }) => streamVersion)).toEqual(long.map((_, i) => i + 1));
    expect(dataOf(short)).toEqual([{ n: 0 }, { n: 1 }]);
    expect(dataOf(tail)).toEqual([{ n: 8_998 }, { n: 8_999 }]);
    expect(beyond).toEqual([]);
    expect(again).toHaveLength(9_000);
  });

  it('makes the save that follows a load cost no further query: one insert, one read-back', async () => {
    // Up to date with what the other store wrote.
    await counted.store.saveEvents(order('anything'), newEvents(1), 0);
    for (const [id, length] of [
      ['same', 2],
      ['not there yet', 0],
    ] as const) {
      const before = await all(counted.store.getEvents(order(id)));
      expect(before).toHaveLength(length);
      const sql = await statements(() => counted.store.saveEvents(order(id), newEvents(1), length));
      const kinds = sql.map((text) => /^(INSERT|SELECT DISTINCT writer)/.exec(text)?.[0] ?? text);
      expect(kinds).toEqual(['INSERT', 'SELECT DISTINCT writer']);
    }
  });

  it('refuses a stream without type or id, and a version that is none', async () => {
    expect(await thrown(all(store.getEvents({ type: '', id: '\ud800' })))).toMatchObject({
      code: 'VALIDATION',
      message: expect.stringMatching(/stream\.type is not .*; stream\.id is not /),
    });
    expect(await thrown(all(store.getEvents(order('x'), 1.5)))).toMatchObject({ code: 'VALIDATION' });
  });
});

async function readInTwos(reader: EventStore): Promise<string[]> {
  const seen: string[] = [];
  for (let size = -1; size !== seen.length; ) {
    size = seen.length;
    for await (const { position } of reader.readAll(seen.at(-1) ?? '', { limit: 2 })) seen.push(position);
  }
  return seen;
}

describe('readAll', () => {
  beforeAll(open);

  it('reads an empty log, whose head is the beginning', async () => {
    expect(await store.head()).toBe('');
    expect(await all(store.readAll(''))).toEqual([]);
  });

  it('gives what was saved, whole', async () => {
    const full = newEvent(
      { text: 'é😀\u0000 \ud83d " \\ {x:String} ; SELECT', list: [1.5, null, { a: false }], none: undefined },
      {
        metadata: { correlationId: 'c', __proto__x: 'y' },
        version: 3,
        time: -1,
      },
    );
    const bare = newEvent(null);
    const position = await store.saveEvents(order('whole'), [full, bare], 0);
    expect(await all(store.readAll(''))).toEqual([
      {
        id: full.id,
        type: 'order.placed',
        stream: order('whole'),
        streamVersion: 1,
        eventVersion: 3,
        data: { text: 'é😀\u0000 \ud83d " \\ {x:String} ; SELECT', list: [1.5, null, { a: false }] },
        metadata: { correlationId: 'c', __proto__x: 'y' },
        time: -1,
        position: '0000000000000001-00000000',
      },
      {
        id: bare.id,
        type: 'order.placed',
        stream: order('whole'),
        streamVersion: 2,
        eventVersion: 1,
        data: null,
        time: bare.time,
        position,
      },
    ]);
    expect(await store.head()).toBe(position);
  });

  it('goes on after any position, also within a batch, in pages of any size', async () => {
    for (let i = 0; i < 12; i += 1) await store.saveEvents(order(`p-${i}`), newEvents(1 + (i % 5) * 3), 0);
    const positions = (await all(store.readAll(''))).map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].toSorted());
    for (const [i, after] of [...positions.entries()].filter(([n]) => n % 4 < 2))
      expect((await all(store.readAll(after, { limit: 4 }))).map(({ position }) => position)).toEqual(
        positions.slice(i + 1, i + 5),
      );
    expect(await all(store.readAll('', { limit: 0 }))).toEqual([]);
    expect((await all(store.readAll('', { limit: 9 }))).map(({ position }) => position)).toEqual(positions.slice(0, 9));
  });

  it('serves a reader with a small limit from one page, and reads anew for who begins again', async () => {
    const whole = (await all(store.readAll(''))).map(({ position }) => position);
    for (const wanted of [5, 4]) {
      const sql = await statements(async () => expect(await readInTwos(counted.store)).toEqual(whole));
      // The end of the log, sizes (the first time), one page; then the end again where it has reached it.
      expect(sql.length).toBeLessThanOrEqual(wanted);
    }
  });

  it('costs one look at the metadata when there is nothing new', async () => {
    const head = await counted.store.head();
    await all(counted.store.readAll(head));
    const sql = await statements(() => all(counted.store.readAll(head)));
    expect(sql).toEqual([expect.stringMatching(/^SELECT max\(batch\)/)]);
  });

  it('ends at the head as found at its start', async () => {
    const first = store.readAll('')[Symbol.asyncIterator]();
    await first.next();
    await store.saveEvents(order('later'), newEvents(1), 0);
    const rest: string[] = [];
    for (let next = await first.next(); next.done !== true; next = await first.next()) rest.push(next.value.stream.id);
    expect(rest).not.toContain('later');
    expect((await all(store.readAll(''))).map(({ stream }) => stream.id)).toContain('later');
  });

  it('skips batches that an administrator has dropped, and single events that were deleted', async () => {
    const { client, database } = opened;
    for (let i = 0; i < 6; i += 1) await store.saveEvents(order(`d-${i}`), newEvents(4), 0);
    const fresh = await createClickHouseEventStore({ client, database });
    const before = await all(fresh.readAll(''));
    const gone = new Set(
      before.filter(({ stream }) => ['d-1', 'd-2', 'p-3'].includes(stream.id)).map(({ position }) => position),
    );
    const single =
      before.find(({ stream, streamVersion }) => stream.id === 'd-4' && streamVersion === 2)?.position ?? '';
    gone.add(single);
    await client.command({
      query: `ALTER TABLE ${database}.events DELETE WHERE aggregate_id IN ('d-1', 'd-2', 'p-3') OR (aggregate_id = 'd-4' AND version = 2) SETTINGS mutations_sync = 2`,
    });
    const wanted = before.map(({ position }) => position).filter((position) => !gone.has(position));
    for (const reader of [fresh, await createClickHouseEventStore({ client, database })]) {
      expect((await all(reader.readAll(''))).map(({ position }) => position)).toEqual(wanted);
      const paged: string[] = [];
      for (let size = -1; size !== paged.length; ) {
        size = paged.length;
        for await (const { position } of reader.readAll(paged.at(-1) ?? '', { limit: 3 })) paged.push(position);
      }
      expect(paged).toEqual(wanted);
    }
  });

  it('cuts pages by weight: 8 MB an answer of one batch of 12 MB, and of several small ones', async () => {
    const before = await store.head();
    const heavy = 'x'.repeat(400_000);
    const save = (from: number, count: number): Promise<string> =>
      store.saveEvents(
        order('heavy'),
        Array.from({ length: count }, (_, i) => newEvent({ n: from + i, heavy })),
        from,
      );
    for (const [from, count] of [
      [0, 30],
      [30, 5],
      [35, 5],
      [40, 5],
      [45, 5],
      [50, 5],
      [55, 5],
    ] as const)
      await save(from, count);
    let n = 0;
    const sql = await statements(async () => {
      for await (const { data } of counted.store.readAll(before)) {
        const { heavy: text, n: number } = data as { readonly heavy: string; readonly n: number };
        expect([number, text.length]).toEqual([n, heavy.length]);
        n += 1;
      }
    });
    expect(n).toBe(60);
    const limits = sql.flatMap((text) => /LIMIT (\d+)$/.exec(text)?.[1] ?? []).map(Number);
    // The page that begins with the rest of the large batch takes small ones in.
    expect(Math.max(...limits)).toBeLessThanOrEqual(20);
    expect(limits.length).toBeLessThanOrEqual(4);
    expect(await all(store.getEvents(order('heavy')))).toHaveLength(60);
  });

  it('stops with ABORTED when its signal does, before and between events', async () => {
    expect(await thrown(all(store.readAll('', { signal: AbortSignal.abort(new Error('mine')) })))).toMatchObject({
      code: 'ABORTED',
    });
    const abort = new AbortController();
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const event of store.readAll('', { signal: abort.signal })) {
        seen.push(event);
        abort.abort();
      }
    })();
    expect(await thrown(reading)).toMatchObject({ code: 'ABORTED' });
    expect(seen).toHaveLength(1);
  });

  it('refuses what is no position and no limit', async () => {
    for (const position of ['x', '1', '0000000000000001-0000000', '9999999999999999-00000000'])
      expect(await thrown(all(store.readAll(position)))).toMatchObject({ code: 'CONFIGURATION' });
    expect(await thrown(all(store.readAll('', { limit: -1 })))).toMatchObject({ code: 'VALIDATION' });
  });
});

describe('close', () => {
  it('waits for what was asked for, is idempotent, and everything after it is CLOSED', async () => {
    const closing = await createClickHouseEventStore({ client: opened.client, database: opened.database });
    const saving = times(20, (i) => closing.saveEvents(order(`closing-${i}`), newEvents(1), 0));
    const closed = closing.close();
    expect(closing.close()).toBe(closed);
    await closed;
    await expect(saving).resolves.toHaveLength(20);
    for (const late of [
      closing.saveEvents(order('y'), newEvents(1), 0),
      closing.head(),
      all(closing.getEvents(order('y'))),
      all(closing.readAll('')),
    ])
      expect(await thrown(late)).toMatchObject({ code: 'CLOSED' });
    expect(await all(store.getEvents(order('closing-19')))).toHaveLength(1);
  });
});
