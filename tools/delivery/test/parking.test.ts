import { createParkingStore, type ParkedFailure } from '@bento-bus/dlq';
import { createInMemoryEventStore } from '@bento-bus/eventsourcing';
import { describe, expect, it } from '@jest/globals';
import { messageOf } from './support/messages.ts';

const place = { group: 'mail', topic: 'orders', key: 'a' };
const failure: ParkedFailure = {
  reason: 'exhausted',
  code: 'Error',
  error: 'bad',
  stack: '',
  attempts: 3,
  firstFailed: 1,
  lastFailed: 2,
};
const parked = (text: string): { message: ReturnType<typeof messageOf>; position: string } => ({
  message: messageOf('a', text),
  position: text,
});

describe('The parking store', () => {
  it('gives back what was parked, bytes and all, in order', async () => {
    const store = createInMemoryEventStore();
    const parking = createParkingStore({ store });
    const one = parked('1');
    const foreign = {
      position: '2',
      message: {
        ...messageOf('a', '2'),
        body: null,
        raw: { key: new Uint8Array([0, 255]), headers: [['x', new Uint8Array([128])]] as const },
      },
    };
    const first = await parking.begin(place, one, failure);
    expect(first).toEqual({ sequence: expect.any(String), index: 1, ...one, failure });
    const { sequence = '' } = first ?? {};
    expect(await parking.add(place, sequence, foreign)).toBe(true);
    const again = await createParkingStore({ store }).list(place, sequence);
    expect(again).toEqual([first, { sequence, index: 2, ...foreign }]);
  });

  it('takes a message once, and tells of the end', async () => {
    const store = createInMemoryEventStore();
    const parking = createParkingStore({ store });
    const [one, two] = [parked('1'), parked('2')];
    const { sequence = '' } = (await parking.begin(place, one, failure)) ?? {};
    expect(await parking.begin(place, one, failure)).toMatchObject({ sequence, index: 1 });
    expect(await parking.add(place, sequence, two)).toBe(true);
    expect(await parking.add(place, sequence, two)).toBe(true);
    expect(await parking.list(place, sequence)).toHaveLength(2);
    expect(await parking.drained(place, sequence, 1)).toMatchObject({ index: 2, position: '2' });
    // It came again, after it was handled.
    expect(await parking.begin(place, one, failure)).toBeUndefined();
    expect(await parking.drained(place, sequence, 1)).toMatchObject({ index: 2 });
    await parking.failed(place, sequence, 2, failure);
    expect(await parking.head(place, sequence)).toMatchObject({ index: 2, failure });
    expect(await parking.drained(place, sequence, 2)).toBeUndefined();
    expect(await parking.drained(place, sequence, 2)).toBeUndefined();
    expect(await parking.add(place, sequence, parked('3'))).toBe(false);
    expect(await parking.open('mail', 'orders')).toEqual(new Map());
    const next = await parking.begin(place, parked('4'), failure);
    expect(next?.sequence).not.toBe(sequence);
    expect(await parking.open('mail', 'orders')).toEqual(new Map([['a', next?.sequence]]));
    expect(await parking.open('mail', 'other')).toEqual(new Map());
  });

  it('has one sequence a key, whoever begins it; what is added while the last one drains is in it or refused', async () => {
    const store = createInMemoryEventStore();
    const many = Array.from({ length: 8 }, () => createParkingStore({ store, cacheSize: 2 }));
    const begun = await Promise.all(many.map((parking, index) => parking.begin(place, parked(`${index}`), failure)));
    const sequence = begun[0]?.sequence ?? '';
    expect(new Set(begun.map((one) => one?.sequence))).toEqual(new Set([sequence]));
    expect(new Set(begun.map((one) => one?.index))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
    const drainer = createParkingStore({ store });
    let left = await drainer.head(place, sequence);
    const drained: string[] = [];
    const adding = many.map((parking, index) => parking.add(place, sequence, parked(`more ${index}`)));
    while (left !== undefined) {
      drained.push(left.position);
      left = await drainer.drained(place, sequence, left.index);
    }
    const added = (await Promise.all(adding)).filter(Boolean).length;
    expect(drained).toHaveLength(8 + added);
    expect(await drainer.open('mail', 'orders')).toEqual(new Map());
  });

  it('closes in the index what a crash left open there', async () => {
    const store = createInMemoryEventStore();
    const parking = createParkingStore({ store });
    const { sequence = '' } = (await parking.begin(place, parked('1'), failure)) ?? {};
    const dying = createParkingStore({
      store: new Proxy(store, {
        get: (target, name: keyof typeof store) => {
          const member: unknown = target[name];
          if (name !== 'saveEvents') return typeof member === 'function' ? member.bind(target) : member;
          return (...args: Parameters<typeof store.saveEvents>) =>
            args[0].id.includes('index') ? Promise.reject(new Error('it died')) : target.saveEvents(...args);
        },
      }),
    });
    await expect(dying.drained(place, sequence, 1)).rejects.toThrow('it died');
    expect((await parking.open('mail', 'orders')).size).toBe(1);
    expect(await parking.add(place, sequence, parked('2'))).toBe(false);
    expect((await parking.open('mail', 'orders')).size).toBe(0);
  });

  it('reads no body again and again: a look at the head reads one event', async () => {
    const store = createInMemoryEventStore();
    let read = 0;
    const counting = new Proxy(store, {
      get: (target, name: keyof typeof store) => {
        const member: unknown = target[name];
        if (name !== 'getEvents') return typeof member === 'function' ? member.bind(target) : member;
        return async function* (...args: Parameters<typeof store.getEvents>) {
          for await (const event of target.getEvents(...args)) {
            read += 1;
            yield event;
          }
        };
      },
    });
    const parking = createParkingStore({ store: counting });
    const { sequence = '' } = (await parking.begin(place, parked('0'), failure)) ?? {};
    for (let index = 1; index < 200; index += 1) await parking.add(place, sequence, parked(`${index}`));
    read = 0;
    for (let look = 0; look < 50; look += 1) await parking.head(place, sequence);
    expect(read).toBe(50);
    read = 0;
    for (let look = 0; look < 50; look += 1) await parking.open('mail', 'orders');
    expect(read).toBe(0);
  });

  it('names every fault of its options', () => {
    expect(() => createParkingStore({ store: {} as never, cacheSize: 0 })).toThrow(/store.*cacheSize/s);
  });
});
