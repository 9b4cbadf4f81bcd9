import { BentoError, ConcurrencyError, type EventStore, type NewEvent, type StoredEvent } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { Order } from '../test/support/orders.ts';
import { createInMemoryEventStore } from './in-memory-event-store.ts';
import { createUnitOfWork } from './unit-of-work.ts';

const collect = async (events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> => {
  const list: StoredEvent[] = [];
  for await (const one of events) list.push(one);
  return list;
};
/** The store, with something that happens before each append. */
const before = (store: EventStore, act: (events: readonly NewEvent[]) => void | Promise<void>): EventStore => ({
  identity: store.identity,
  head: () => store.head(),
  getEvents: (stream, from) => store.getEvents(stream, from),
  readAll: (after, options) => store.readAll(after, options),
  close: () => store.close(),
  [Symbol.asyncDispose]: () => store.close(),
  async saveEvents(stream, events, expectedVersion) {
    await act(events);
    return store.saveEvents(stream, events, expectedVersion);
  },
});
const nothing = (): void => {};
const fast = (): number => 1;

describe('a unit of work', () => {
  it('commits what its aggregate recorded when the work returns, and gives the work its answer', async () => {
    const store = createInMemoryEventStore();
    const positions: string[] = [];
    const unitOfWork = createUnitOfWork({
      store,
      now: () => 42,
      newId: () => 'id-1',
      onCommit: (at) => positions.push(at),
    });
    const answer = await unitOfWork.run(async (u) => {
      (await u.load(Order, 'o-1')).place('France');
      return 'placed';
    });
    expect(answer).toBe('placed');
    const events = await collect(store.readAll(''));
    expect(events).toMatchObject([{ id: 'id-1', time: 42, type: 'order.placed', eventVersion: 2, streamVersion: 1 }]);
    expect(positions).toEqual([await store.head()]);
  });

  it('commits nothing when the work throws or records nothing', async () => {
    const store = createInMemoryEventStore();
    const positions: string[] = [];
    const unitOfWork = createUnitOfWork({ store, onCommit: (at) => positions.push(at) });
    const failing = unitOfWork.run(async (u) => {
      (await u.load(Order, 'o-1')).place('France');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await unitOfWork.run((u) => u.load(Order, 'o-1'));
    expect(await unitOfWork.begin().commit()).toBeUndefined();
    expect(await store.head()).toBe('');
    expect(positions).toEqual([]);
  });

  it('gives every event the metadata of the unit of work; that of the event itself goes before', async () => {
    const store = createInMemoryEventStore();
    const unitOfWork = createUnitOfWork({ store });
    const metadata = { correlationId: 'c-1', causationId: 'm-1' };
    await unitOfWork.run(
      async (u) => {
        const order = await u.load(Order, 'o-1');
        order.place('France', [], { metadata: { causationId: 'line-7', actor: 'me' } });
        order.note('x');
      },
      { metadata },
    );
    const events = await collect(store.readAll(''));
    expect(events.map((event) => event.metadata)).toEqual([
      { correlationId: 'c-1', causationId: 'line-7', actor: 'me' },
      metadata,
    ]);
  });

  it('runs again from a fresh scope when another writer was first, so that 20 writers of one stream all get through', async () => {
    const store = createInMemoryEventStore();
    const unitOfWork = createUnitOfWork({ store, backoff: fast });
    const runs = Array.from({ length: 20 }, (_, index) =>
      unitOfWork.run(
        async (u) => {
          const order = await u.load(Order, 'o-1');
          if (order.status === 'new') order.place('France');
          order.note(`n-${index}`);
        },
        { maxAttempts: 100 },
      ),
    );
    await Promise.all(runs);
    const events = await collect(store.getEvents({ type: 'order', id: 'o-1' }));
    const notes = events.flatMap(({ data }) => (data as { text?: string }).text ?? []);
    expect(events.map(({ streamVersion }) => streamVersion)).toEqual(
      Array.from({ length: 21 }, (_, index) => index + 1),
    );
    expect(notes.toSorted()).toEqual(Array.from({ length: 20 }, (_, index) => `n-${index}`).toSorted());
  });

  it('throws the ConcurrencyError after 5 runs, or as many as asked for', async () => {
    const store = before(createInMemoryEventStore(), () => {
      throw new ConcurrencyError({ type: 'order', id: 'o-1' }, 0, 1);
    });
    const unitOfWork = createUnitOfWork({ store, backoff: fast });
    for (const [options, expected] of [
      [undefined, 5],
      [{ maxAttempts: 2 }, 2],
      [{ maxAttempts: 1 }, 1],
    ] as const) {
      let runs = 0;
      const work = unitOfWork.run(async (u) => {
        runs += 1;
        (await u.load(Order, 'o-1')).place('France');
      }, options);
      await expect(work).rejects.toMatchObject({ code: 'CONCURRENCY' });
      expect(runs).toBe(expected);
    }
    await expect(unitOfWork.run(() => 1, { maxAttempts: 0 })).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('does not run again what it has committed by hand', async () => {
    const inner = createInMemoryEventStore();
    let appends = 0;
    const store = before(inner, () => {
      appends += 1;
      if (appends > 1) throw new ConcurrencyError({ type: 'order', id: 'o-1' }, 1, 2);
    });
    let runs = 0;
    const work = createUnitOfWork({ store, backoff: fast }).run(async (u) => {
      runs += 1;
      const order = await u.load(Order, 'o-1');
      order.place('France');
      await u.commit();
      order.note('x');
    });
    await expect(work).rejects.toMatchObject({ code: 'CONCURRENCY' });
    expect(runs).toBe(1);
    expect(await collect(inner.readAll(''))).toHaveLength(1);
  });

  it('commits one stream: a second one with pending events is an error that says what to do', async () => {
    const store = createInMemoryEventStore();
    const u = createUnitOfWork({ store }).begin();
    (await u.load(Order, 'o-1')).place('France');
    await u.load(Order, 'o-3');
    (await u.load(Order, 'o-2')).place('Spain');
    await expect(u.commit()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/"order\/o-1" and "order\/o-2".*commits one stream/),
    });
    expect(await store.head()).toBe('');
  });

  it('takes new aggregates in, and refuses two objects of one stream', async () => {
    const store = createInMemoryEventStore();
    const u = createUnitOfWork({ store }).begin();
    const order = new Order('o-1');
    order.place('France');
    u.collectEvents(order);
    u.collectEvents(order);
    await u.commit();
    expect(await collect(store.readAll(''))).toHaveLength(1);
    const [one, two] = [new Order('o-2'), new Order('o-2')];
    for (const source of [one, two]) {
      source.place('France');
      u.collectEvents(source);
    }
    await expect(u.commit()).rejects.toMatchObject({ message: expect.stringContaining('as two objects') });
  });

  it('gives one object a stream, also to loads made at once, and forgets a load that failed', async () => {
    const inner = createInMemoryEventStore();
    let down = true;
    const store: EventStore = {
      ...before(inner, () => undefined),
      getEvents: (stream) => {
        if (down) throw new BentoError('CONNECTION', 'down', true);
        return inner.getEvents(stream);
      },
    };
    const u = createUnitOfWork({ store }).begin();
    await expect(u.load(Order, 'o-1')).rejects.toMatchObject({ code: 'CONNECTION' });
    down = false;
    const [one, two] = await Promise.all([u.load(Order, 'o-1'), u.load(Order, 'o-1')]);
    expect(one).toBe(two);
    expect(await u.load(Order, 'o-1')).toBe(one);
    expect(await u.load(Order, 'o-2')).not.toBe(one);
  });

  it('can be committed again and again: each commit appends what is pending then', async () => {
    const store = createInMemoryEventStore();
    const u = createUnitOfWork({ store }).begin();
    const order = await u.load(Order, 'o-1');
    order.place('France');
    const first = await u.commit();
    expect(await u.commit()).toBeUndefined();
    order.ship();
    const [second, third] = await Promise.all([u.commit(), u.commit()]);
    expect([first, second]).toEqual((await collect(store.readAll(''))).map(({ position }) => position));
    expect(third).toBeUndefined();
    expect(order.version).toBe(2);
  });

  it('appends what was recorded while a commit was under way with the next one, once', async () => {
    const inner = createInMemoryEventStore();
    let order: Order | undefined;
    const store = before(inner, (events) => {
      if (events[0]?.type === 'order.placed') order?.note('meanwhile');
    });
    const u = createUnitOfWork({ store }).begin();
    order = await u.load(Order, 'o-1');
    order.place('France');
    await u.commit();
    await u.commit();
    expect((await collect(inner.readAll(''))).map(({ type }) => type)).toEqual(['order.placed', 'order.noted']);
  });

  it('appends once when the answer of the store is lost and the commit is made again', async () => {
    const inner = createInMemoryEventStore();
    let lose = true;
    const store: EventStore = {
      ...before(inner, () => undefined),
      async saveEvents(stream, events, expectedVersion) {
        const position = await inner.saveEvents(stream, events, expectedVersion);
        if (!lose) return position;
        lose = false;
        throw new BentoError('CONNECTION', 'the answer was lost', true);
      },
    };
    const u = createUnitOfWork({ store }).begin();
    (await u.load(Order, 'o-1')).place('France');
    await expect(u.commit()).rejects.toMatchObject({ code: 'CONNECTION' });
    expect(await u.commit()).toBe(await inner.head());
    expect(await collect(inner.readAll(''))).toHaveLength(1);
  });

  it('treats a command that is sent twice with the same event id as one, from whatever process', async () => {
    const store = createInMemoryEventStore();
    const place = (): Promise<void> =>
      // Each process decides on what it saw: nothing.
      createUnitOfWork({ store }).run((u) => {
        const order = new Order('o-1');
        order.place('France', [], { id: 'invoice-1' });
        u.collectEvents(order);
      });
    await place();
    await place();
    expect(await collect(store.readAll(''))).toHaveLength(1);
  });

  it('stands although onCommit throws', async () => {
    const store = createInMemoryEventStore();
    const logged: string[] = [];
    const unitOfWork = createUnitOfWork({
      store,
      onCommit: () => {
        throw new Error('no relay');
      },
      logger: { debug: nothing, info: nothing, warn: nothing, error: (message) => logged.push(message) },
    });
    await unitOfWork.run(async (u) => (await u.load(Order, 'o-1')).place('France'));
    expect(await collect(store.readAll(''))).toHaveLength(1);
    expect(logged).toEqual([expect.stringContaining('onCommit')]);
  });
});
