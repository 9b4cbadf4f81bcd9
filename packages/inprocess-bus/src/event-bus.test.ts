import type { EventDefinition, EventHandlersError, LogFields } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createEventBus } from './event-bus.ts';

const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
const define = (type: string): EventDefinition<string, number, number> => ({
  type,
  topic: 'orders',
  version: 1,
  schema,
  upcast: {},
});
const placed = define('order.placed');

const nothing = (): void => {};

const failureOf = (publish: () => unknown): EventHandlersError => {
  try {
    publish();
  } catch (error) {
    return error as EventHandlersError;
  }
  throw new Error('it did not throw');
};

describe('event bus', () => {
  it('calls every handler in order with data and definition, and returns nothing when all finish in the call', () => {
    const bus = createEventBus();
    const seen: unknown[] = [];
    bus.subscribe(placed, (data, definition) => void seen.push(['a', data, definition.type]));
    bus.subscribe(placed, (data) => void seen.push(['b', data]));
    expect(bus.publish(placed, 7)).toBeUndefined();
    expect(seen).toEqual([
      ['a', 7, 'order.placed'],
      ['b', 7],
    ]);
  });

  it('does nothing for an event without handlers, and tells definitions apart by identity', () => {
    const bus = createEventBus();
    let calls = 0;
    bus.subscribe(placed, () => void calls++);
    expect(bus.publish(define('order.placed'), 1)).toBeUndefined();
    expect(calls).toBe(0);
  });

  it('resolves once every asynchronous handler has finished', async () => {
    const bus = createEventBus();
    const done: string[] = [];
    bus.subscribe(placed, async () => {
      await Promise.resolve();
      done.push('slow');
    });
    bus.subscribe(placed, () => void done.push('sync'));
    await bus.publish(placed, 1);
    expect(done).toEqual(['sync', 'slow']);
  });

  it('waits for the one asynchronous handler, native promise or not', async () => {
    const bus = createEventBus();
    let asked = 0;
    const thenable = {
      // oxlint-disable-next-line unicorn/no-thenable -- query builders are such
      then: (resolve: () => void) => {
        asked++;
        queueMicrotask(resolve);
      },
    };
    bus.subscribe(placed, () => thenable as unknown as Promise<void>);
    await bus.publish(placed, 1);
    expect(asked).toBe(1);
  });

  it('runs the others when one throws, then throws one error with all causes', () => {
    const bus = createEventBus();
    const [first, second] = [new Error('first'), new Error('second')];
    let ran = 0;
    bus.subscribe(placed, () => {
      throw first;
    });
    bus.subscribe(placed, () => void ran++);
    bus.subscribe(placed, () => {
      throw second;
    });
    const error = failureOf(() => bus.publish(placed, 1));
    expect(ran).toBe(1);
    expect(error).toMatchObject({ code: 'HANDLER', errors: [first, second], cause: first });
    expect(error.message).toContain('"order.placed" everywhere: 2 of its handlers failed, first: first');
  });

  it('throws in the call when its only handler throws in the call', () => {
    const bus = createEventBus();
    bus.subscribe(placed, () => {
      throw new Error('no');
    });
    expect(failureOf(() => bus.publish(placed, 1)).code).toBe('HANDLER');
  });

  it('rejects with one error when its only handler rejects', async () => {
    const bus = createEventBus();
    const cause = new Error('no');
    bus.subscribe(placed, () => Promise.reject(cause));
    await expect(bus.publish(placed, 1)).rejects.toMatchObject({ code: 'HANDLER', errors: [cause] });
  });

  it('collects throws and rejections in the order of the handlers, whatever they throw', async () => {
    const bus = createEventBus();
    let ran = 0;
    bus.subscribe(placed, async () => {
      await Promise.resolve();
      throw 'rejected';
    });
    bus.subscribe(placed, async () => void ran++);
    bus.subscribe(placed, () => {
      throw undefined;
    });
    bus.subscribe(placed, () => Promise.reject(['a', 'list']));
    await expect(bus.publish(placed, 1)).rejects.toMatchObject({ errors: ['rejected', undefined, ['a', 'list']] });
    expect(ran).toBe(1);
  });

  it('reports to onError instead, once a publish, and ends well', async () => {
    const reports: unknown[] = [];
    const bus = createEventBus({
      onError: (error, definition, data) => void reports.push([error.errors.length, definition.type, data]),
    });
    bus.subscribe(placed, () => {
      throw new Error('sync');
    });
    expect(bus.publish(placed, 1)).toBeUndefined();
    bus.subscribe(placed, () => Promise.reject(new Error('async')));
    await bus.publish(placed, 2);
    expect(reports).toEqual([
      [1, 'order.placed', 1],
      [2, 'order.placed', 2],
    ]);
  });

  it('logs what onError itself throws and still ends well', async () => {
    const logged: LogFields[] = [];
    const logger = {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (_: string, fields: LogFields = {}) => void logged.push(fields),
    };
    for (const onError of [
      () => {
        throw new Error('report');
      },
      () => Promise.reject(new Error('report')),
    ]) {
      const bus = createEventBus({ onError, logger });
      bus.subscribe(placed, () => {
        throw new Error('handler');
      });
      await bus.publish(placed, 1);
    }
    expect(logged).toHaveLength(2);
    expect(logged[0]).toMatchObject({ error: { message: 'report' }, failed: { code: 'HANDLER' } });
  });

  it('lets handlers come and go while it publishes, from the next publish on', () => {
    const bus = createEventBus();
    const seen: string[] = [];
    const leave = bus.subscribe(placed, () => {
      seen.push('a');
      leave();
      bus.subscribe(placed, () => void seen.push('late'));
    });
    bus.subscribe(placed, () => void seen.push('b'));
    void bus.publish(placed, 1);
    expect(seen).toEqual(['a', 'b']);
    void bus.publish(placed, 2);
    expect(seen).toEqual(['a', 'b', 'b', 'late']);
  });

  it('takes a subscription back once, and only its own', () => {
    const bus = createEventBus();
    let calls = 0;
    const handler = (): void => void calls++;
    const leave = bus.subscribe(placed, handler);
    bus.subscribe(placed, handler);
    leave();
    leave();
    void bus.publish(placed, 1);
    expect(calls).toBe(1);
  });
});
