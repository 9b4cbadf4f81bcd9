import { defineEvents, type Recording, type StandardSchemaV1, type StoredEvent } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { Order, orderEvents } from '../test/support/orders.ts';
import { Aggregate, type EventsOf } from './aggregate.ts';
import { createInMemoryEventStore } from './in-memory-event-store.ts';

const stored = (type: string, eventVersion: number, data: unknown, streamVersion = 1): StoredEvent => ({
  id: `e-${streamVersion}`,
  type,
  data,
  time: 1_000,
  stream: { type: 'order', id: 'o-1' },
  streamVersion,
  eventVersion,
  position: String(streamVersion),
});
async function* of(...events: StoredEvent[]): AsyncGenerator<StoredEvent> {
  yield* events;
}
/** A schema that answers later. */
const later = <T>(check: (value: T) => T): StandardSchemaV1<T> => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => {
      try {
        return { value: check(value as T) };
      } catch (error) {
        return { issues: [{ message: String(error) }] };
      }
    },
  },
});
const slowEvents = defineEvents(
  { topic: 'slow' },
  {
    checked: {
      version: 1,
      schema: later<{ n: number }>((value) => {
        if (value.n < 0) throw new Error('below zero');
        return value;
      }),
    },
    doubled: { version: 1, schema: later<{ n: number }>(({ n }) => ({ n: n * 2 })) },
  },
);
class Slow extends Aggregate<typeof slowEvents> {
  static readonly streamType: string = 'slow';
  static readonly events: typeof slowEvents = slowEvents;
  readonly seen: EventsOf<typeof slowEvents>[] = [];

  note(type: 'checked' | 'doubled', n: number): void {
    this.record(slowEvents[type], { n });
  }
  protected apply(event: EventsOf<typeof slowEvents>): void {
    this.seen.push(event);
  }
}

describe('an aggregate', () => {
  it('applies what it records and keeps it pending, as the schema takes it, at the current version', () => {
    const recording: Recording = { now: () => 42, newId: () => 'new' };
    const order = new Order('o-1', recording);
    order.place('France', ['1.50']);
    order.ship();
    expect(order.status).toBe('shipped');
    expect(order.version).toBe(0);
    expect(order.stream).toEqual({ type: 'order', id: 'o-1' });
    expect(order.pending).toEqual([
      {
        id: 'new',
        type: 'order.placed',
        version: 2,
        time: 42,
        data: { orderId: 'o-1', country: 'France', lines: [{ sku: 'sku-0', amount: '1.50' }] },
      },
      // The default is the schema's work, so it is not stored, but applied.
      { id: 'new', type: 'order.shipped', version: 1, time: 42, data: { orderId: 'o-1' } },
    ]);
    expect(order.applied.at(-1)).toEqual({
      id: 'new',
      type: 'order.shipped',
      time: 42,
      data: { orderId: 'o-1', tracking: 'none' },
    });
  });

  it('takes id, time and metadata of an event from who records it', () => {
    const order = new Order('o-1');
    order.place('France', [], { id: 'invoice-1', time: 7, metadata: { causationId: 'c' } });
    expect(order.pending[0]).toMatchObject({ id: 'invoice-1', time: 7, metadata: { causationId: 'c' } });
  });

  it('applies at record exactly what a load gives, and shares nothing with the caller', async () => {
    const store = createInMemoryEventStore();
    const recorded = new Order('o-1');
    const amounts = ['1', '2'];
    recorded.place('France', amounts);
    amounts.push('3');
    recorded.note('fragile');
    await store.saveEvents(recorded.stream, recorded.pending, 0);
    const loaded = await Order.load('o-1', store.getEvents(recorded.stream));
    expect(loaded.applied).toStrictEqual(recorded.applied);
    expect(loaded.version).toBe(2);
    expect(loaded.pending).toEqual([]);
  });

  it('upcasts old versions, then validates', async () => {
    const order = await Order.load('o-1', of(stored('order.placed', 1, { orderId: 'o-1', lines: [] })));
    expect(order.applied[0]?.data).toEqual({ orderId: 'o-1', country: 'unknown', lines: [] });
    const broken = Order.load('o-1', of(stored('order.placed', 1, { orderId: 'o-1' })));
    await expect(broken).rejects.toMatchObject({
      code: 'VALIDATION',
      message: expect.stringContaining('order.placed'),
    });
    const newer = Order.load('o-1', of(stored('order.placed', 3, {})));
    await expect(newer).rejects.toMatchObject({ code: 'VALIDATION' });
  });

  it('names an event type that its catalogue lacks', async () => {
    for (const type of ['order.archived', 'constructor', '__proto__']) {
      await expect(Order.load('o-1', of(stored(type, 1, {}, 3)))).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: expect.stringMatching(new RegExp(`"order/o-1": its event 3 is of the type "${type}"`)),
      });
    }
  });

  it('refuses at record what the schema refuses, what JSON changes, and definitions of other catalogues; then nothing is pending', () => {
    class Loose extends Order {
      noteAny(text: unknown): void {
        this.record(orderEvents['order.noted'], { text } as never);
      }
      recordForeign(): void {
        this.record(slowEvents.checked as never, { n: 1 } as never);
      }
    }
    const order = new Loose('o-1');
    expect(() => order.noteAny(1)).toThrow(
      expect.objectContaining({ code: 'VALIDATION', message: expect.stringContaining('order.noted') }),
    );
    expect(() => order.noteAny(new Date(0))).toThrow(
      expect.objectContaining({ message: expect.stringContaining('data.text') }),
    );
    expect(() => order.recordForeign()).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(order.pending).toEqual([]);
    expect(order.applied).toEqual([]);
  });

  it('is checked at commit where its schema is asynchronous', async () => {
    const good = new Slow('s-1');
    good.note('checked', 1);
    await expect(good.checkPending()).resolves.toBeUndefined();
    const bad = new Slow('s-1');
    bad.note('checked', -1);
    await expect(bad.checkPending()).rejects.toMatchObject({ code: 'VALIDATION' });
    const changed = new Slow('s-1');
    changed.note('doubled', 1);
    await expect(changed.checkPending()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('changes the value'),
    });
  });

  it('loads in order through asynchronous schemas', async () => {
    const events = [1, 2, 3].map((n) => stored('doubled', 1, { n }, n));
    const slow = await Slow.load('s-1', of(...events));
    expect(slow.seen.map(({ data }) => data.n)).toEqual([2, 4, 6]);
    expect(slow.version).toBe(3);
  });

  it('forgets what was committed and keeps what was recorded meanwhile', () => {
    const order = new Order('o-1');
    order.place('France');
    const seen = order.pending;
    order.note('later');
    order.committed(1);
    expect(order.pending.map(({ type }) => type)).toEqual(['order.noted']);
    expect(order.version).toBe(1);
    expect(seen).toHaveLength(2);
  });

  it('says what a class or an id lacks', () => {
    class Bare extends Aggregate<typeof orderEvents> {
      protected apply(): void {}
    }
    expect(() => new Bare('x')).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining('Bare') }),
    );
    expect(() => new Order('')).toThrow(expect.objectContaining({ code: 'VALIDATION' }));
  });

  it('is typed: data by definition, events narrowed by type', () => {
    class Typed extends Order {
      wrong(): void {
        // @ts-expect-error a number is no text
        this.record(orderEvents['order.noted'], { text: 1 });
        // @ts-expect-error not of this catalogue
        this.record(slowEvents.checked, { n: 1 });
      }
      protected override apply(event: EventsOf<typeof orderEvents>): void {
        if (event.type === 'order.noted') {
          const text: string = event.data.text;
          // @ts-expect-error a note has no lines
          this.status = event.data.lines ?? text;
        }
      }
    }
    expect(() => new Typed('o-1').wrong()).toThrow('order.noted');
  });
});
